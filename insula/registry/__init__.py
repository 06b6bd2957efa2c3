"""
Registry: all tenants as the platform sees them, by pages, prefixes and kept counts.

Owns    tenant_counters, tenant_totals (triggers keep them; nobody writes them)
Serves  nothing; platform_admin shows it
Refuses to scan: every answer is a page, a bounded count or a kept one
"""
