"""What a provider is built of, beside its keys."""

from insula.providers.statements import hot

#: What a tenant has decided for itself and inherits: settings; APIs, scopes and claims of its own.
RULES = hot("""
    select (select coalesce(jsonb_object_agg(s.section, s.value), '{}') from insula.tenant_settings s
             where s.tenant_id = %(tenant_id)s) as settings,
           (select coalesce(jsonb_object_agg(p.section, jsonb_build_object('value', p.value, 'bounds', p.bounds)), '{}')
              from insula.platform_settings p) as platform_settings,
           (select coalesce(jsonb_agg(to_jsonb(r)), '[]') from insula.resource_servers r
             where r.tenant_id = %(tenant_id)s) as servers,
           (select coalesce(jsonb_agg(to_jsonb(s)), '[]') from insula.scopes s
             where s.tenant_id = %(tenant_id)s) as scopes,
           (select coalesce(jsonb_agg(to_jsonb(m)), '[]') from insula.claim_mappings m
             where m.tenant_id = %(tenant_id)s) as mappings
""")
