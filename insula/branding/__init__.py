"""
How a tenant looks to the people who sign in at it.

Owns    the sections branding, application and integrations.urls
Serves  nothing; the stylesheet at /branding is served by the composition root
Refuses an accent or a palette with which something could not be read where it stands
"""
