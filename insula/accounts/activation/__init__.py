"""
Activation links: how somebody gets a password that nobody else has known.

Owns    activation_links
Serves  nothing; sign_in has the page that a link leads to
Refuses to choose a password for anybody, and to say why a link is none
"""
