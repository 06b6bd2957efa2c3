"""
A tenant's whole configuration as one document (BEY-12).

Owns    nothing: it reads and calls the domains whose things stand in the document
Serves  nothing; the management API and `insula plan`, `apply` and `drift` use it
Refuses a document that is only half possible: all of it is done, in one transaction, or nothing

    models      the document, and what differs between two of them
    reading     the document of a tenant as it is
    applying    making a tenant as a document says
    owned       what documents own of it
    power       what it may do to clients where it comes over the management API
"""
