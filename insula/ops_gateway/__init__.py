"""
The ops gateway: what probes ask, on a host of its own and without any tenant.

Owns    nothing
Serves  GET /health, /ready, /metrics on `_ops.{base}` and `ops.{base}`; /health on any host;
        GET /arrival to holders of INSULA_HMAC_KEY; on a port of its own the same whatever the host,
        and of a worker GET /live
Refuses cookies, other methods, other paths, and to know a tenant
"""
