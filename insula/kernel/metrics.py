"""The process's metrics. Labels come from known values only (features.md CR-12)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry(auto_describe=True)

REQUESTS = Counter(
    "insula_requests",
    "Requests answered.",
    ["surface", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "insula_request_seconds",
    "Time to answer a request.",
    ["surface"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
UNTRUSTED_HEADERS = Counter(
    "insula_untrusted_headers",
    "Tenant or forwarding headers ignored because the peer is not trusted.",
    ["header"],
    registry=REGISTRY,
)
RESOLUTIONS = Counter(
    "insula_tenant_resolutions", "How requests found their tenant.", ["outcome"], registry=REGISTRY
)
POOL_SIZE = Gauge("provider_pool_size", "Provider instances in memory.", registry=REGISTRY)
POOL_HITS = Counter(
    "provider_pool_hits", "Requests served by a pooled provider.", registry=REGISTRY
)
POOL_MISSES = Counter("provider_pool_misses", "Requests that had to build one.", registry=REGISTRY)
POOL_BUILDS = Counter("provider_pool_builds", "Provider instances built.", registry=REGISTRY)
POOL_EVICTIONS = Counter(
    "provider_pool_evictions", "Provider instances put out of memory.", ["why"], registry=REGISTRY
)
POOL_BUILD_SECONDS = Histogram(
    "provider_pool_build_seconds",
    "Time to build a provider instance.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1),
    registry=REGISTRY,
)
HASHING_WAITING = Gauge("insula_hashing_waiting", "Password hashes waiting.", registry=REGISTRY)
HASHING_REFUSED = Counter(
    "insula_hashing_refused", "Password hashes refused, queue full.", registry=REGISTRY
)
DATABASE_TRIPS = Counter(
    "insula_database_trips", "Round trips to the database that requests made.", registry=REGISTRY
)
DATABASE_AWAY = Counter(
    "insula_database_away", "Requests refused: database away.", registry=REGISTRY
)
EVENTS_CONNECTED = Gauge(
    "insula_events_connected", "1 while Valkey delivers events.", registry=REGISTRY
)
EVENTS_RECEIVED = Counter("insula_events_received", "Change events received.", registry=REGISTRY)
ISOLATION_FAILURES = Counter(
    "insula_isolation_probe_failures",
    "Cells of the probe between the canaries that let something through; kept, of all runs.",
    registry=REGISTRY,
)
ISOLATION_PASSED_AT = Gauge(
    "insula_isolation_probe_passed_timestamp_seconds",
    "When the probe between the canaries passed last.",
    registry=REGISTRY,
)
JOBS = Counter(
    "insula_jobs", "Jobs that this process ran, each try.", ["task", "outcome"], registry=REGISTRY
)
JOB_SECONDS = Histogram(
    "insula_job_seconds",
    "Time that one try of a job took.",
    ["task"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120),
    registry=REGISTRY,
)
SIGN_INS = Counter("insula_sign_ins", "Sign-ins.", ["outcome"], registry=REGISTRY)
OUTBOUND = Counter(
    "insula_outbound_requests",
    "Requests made of other hosts.",
    ["purpose", "outcome"],
    registry=REGISTRY,
)
OUTBOUND_SECONDS = Histogram(
    "insula_outbound_seconds",
    "Time that a request of another host took.",
    ["purpose"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
    registry=REGISTRY,
)
