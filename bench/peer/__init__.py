"""
The peer that the budgets are held against: node-oidc-provider for many tenants, over PostgreSQL.

`npm/` is a small program as its documentation advises for production: a pool of fifty instances
chosen by Host, static clients, keys and cookie keys of each tenant, an adapter over one table as in
its examples, refresh tokens that rotate, a sign-in without a password. It has the database server,
the core and the number of connections that Insula has, and gets the same requests.
"""
