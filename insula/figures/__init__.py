"""
Figures: what happened how often on which day, for charts and statistics.

Owns    tenant_days, platform_days; sign-ins, what applications were given and refused, tenants
        made, the pool's hits and misses
Serves  nothing; pages and the management API show it
Refuses to be evidence: counts are kept in memory for half a minute, and a process that is killed
        loses those. The audit record loses nothing
"""
