"""
What a tenant may be born with: named sets of settings, each save of one a version (D04, D10).

Owns    tenant_templates
Serves  nothing; the API, the platform's pages and the command line do
Refuses what is no setting of a tenant's, images and secrets, and a save over somebody else's

A tenant that is founded from one has its values as decisions of its own: what becomes of the
template later does not reach it.
"""
