"""
Login domains: claimed, proven, looked at again, lost and given up.

Owns    tenant_hosts (writing; tenancy reads them), host_proofs, released_hosts
Serves  /.well-known/insula-verify-{token}.txt on a domain that is proven
Refuses domains that nobody has proven, and those that another tenant has or had until lately
"""
