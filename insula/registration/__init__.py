"""
Clients that register themselves (RFC7591, RFC7592), and the tokens that let them.

Owns    initial_access_tokens; of clients, the rows that came to be this way
Serves  nothing; the engine's endpoint and the command line call it
Refuses more than a token's policy allows, more clients than the tenant takes, and to change what
        an administrator has taken over
"""
