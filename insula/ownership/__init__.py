"""
Objects of a tenant that documents own, beside its settings (BEY-12).

Owns    owned_objects
Serves  the domains whose objects a document names: each asks before hands change one
Refuses hands what documents own; nothing to whoever applies them, and nothing once it is released

Ownership of settings stands with their marks, in `config_overrides`.
"""
