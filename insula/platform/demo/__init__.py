"""
The demo application: a relying party as a customer of Insula would write it.

Owns    nothing; who is signed in is forgotten when it stops
Serves  an origin of its own, http://127.0.0.1:8001: a whole sign-on at either demo tenant,
        and what is in the tokens
Knows   Insula from outside only: `.insula/dev.json` for its registrations, discovery for the rest
Refuses an answer that fails any check of OpenID Connect Core, and says which
"""
