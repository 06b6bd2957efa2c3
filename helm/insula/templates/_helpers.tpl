{{- define "insula.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* What selects the pods of one component; it never changes. Called with (dict "root" $ "component" "web"). */ -}}
{{- define "insula.selector" -}}
app.kubernetes.io/name: insula
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "insula.labels" -}}
{{ include "insula.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: insula
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | quote }}
{{- end -}}

{{- define "insula.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The secrets of a component as lines `value variable`; only those that have a Secret. */ -}}
{{- define "insula.secretNames" -}}
{{- if eq .component "migrate" -}}
databaseOwnerUrl
{{- else -}}
databaseUrl databasePlatformUrl secretsKey hmacKey secretsKeyPrevious redisUrl
{{- if eq .component "web" }} proxySecret bootstrapAdminPassword{{ end -}}
{{- end -}}
{{- end -}}

{{- /* Variables that hold no secret. */ -}}
{{- define "insula.env" -}}
{{- $root := .root -}}
{{- $v := .root.Values -}}
- name: INSULA_ENV
  value: {{ $v.environment }}
- name: INSULA_LOG_LEVEL
  value: {{ $v.logLevel }}
{{- if ne .component "migrate" }}
- name: INSULA_BASE_DOMAIN
  value: {{ $v.baseDomain | quote }}
- name: INSULA_MULTI_TENANCY_ENABLED
  value: {{ $v.multiTenancy | quote }}
- name: INSULA_DATABASE_POOL_SIZE
  value: {{ $v.database.poolSize | quote }}
{{- end }}
{{- if ne .component "migrate" }}
- name: INSULA_HOST
  value: "0.0.0.0"
- name: {{ ternary "INSULA_OPS_PORT" "INSULA_WORKER_PORT" (eq .component "web") }}
  value: "8001"
{{- with $v.metricsCidrs }}
- name: INSULA_METRICS_CIDRS
  value: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- if eq .component "web" }}
- name: INSULA_PORT
  value: "8000"
{{- with $v.trustedProxies }}
- name: INSULA_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
{{- with $v.bootstrapAdmin.email }}
- name: INSULA_BOOTSTRAP_ADMIN_EMAIL
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if ne .component "migrate" }}
{{- range $name, $value := $v.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- range $name := splitList " " (include "insula.secretNames" .) }}
{{- if (index $v.secrets $name).name }}
- name: INSULA_{{ $name | snakecase | upper }}_FILE
  value: /run/secrets/insula/{{ $name | snakecase }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "insula.volumeMounts" -}}
- name: secrets
  mountPath: /run/secrets/insula
  readOnly: true
{{- if .root.Values.database.caConfigMap }}
- name: database-ca
  mountPath: /run/database-ca
  readOnly: true
{{- end }}
- name: tmp
  mountPath: /tmp
{{- end -}}

{{- define "insula.volumes" -}}
{{- $secrets := .root.Values.secrets -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $name := splitList " " (include "insula.secretNames" .) }}
      {{- with index $secrets $name }}
      {{- if .name }}
      - secret:
          name: {{ .name }}
          items:
            - key: {{ .key }}
              path: {{ $name | snakecase }}
      {{- end }}
      {{- end }}
      {{- end }}
{{- with .root.Values.database.caConfigMap }}
- name: database-ca
  configMap:
    name: {{ . }}
{{- end }}
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 64Mi
{{- end -}}

{{- define "insula.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "insula.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- /* What all three pods have in common, before their containers. Called with root, component and service account. */ -}}
{{- define "insula.podBase" -}}
serviceAccountName: {{ .account }}
automountServiceAccountToken: false
# For a Service named insula Kubernetes would set an INSULA_PORT of its own.
enableServiceLinks: false
securityContext:
  {{- include "insula.podSecurity" . | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if ne .component "migrate" }}
{{- with .root.Values.topologySpread }}
topologySpreadConstraints:
  {{- range . }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "insula.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "insula.podMetadata" -}}
labels:
  {{- include "insula.labels" . | nindent 2 }}
  {{- with .own.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $annotations := dict }}
{{- if and .root.Values.metricsCidrs (ne .component "migrate") }}
{{- $annotations = dict "prometheus.io/scrape" "true" "prometheus.io/port" "8001" "prometheus.io/path" "/metrics" }}
{{- end }}
{{- with mergeOverwrite $annotations .own.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
