"""
Accounts: the people a tenant knows, and what they prove themselves with.

Owns    users, user_roles
Serves  nothing; people meet accounts through sign_in, operators through the CLI
Refuses to say whether an address is registered: callers get the same answer either way
"""
