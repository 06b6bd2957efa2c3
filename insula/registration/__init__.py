"""
Clients that register themselves (RFC7591, RFC7592), and the tokens that let them.

Owns    initial_access_tokens, client_logos; of clients, the rows that came to be this way
Serves  /client-logos; the engine's endpoint and the command line call the rest
Refuses more than a token's policy allows, more clients than the tenant takes, and to change what
        an administrator has taken over
"""
