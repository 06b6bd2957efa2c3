"""
The page of an activation link: somebody chooses their password and is signed in with it.

Refuses to use a link up by looking at it, since programs look at links before people do
"""
