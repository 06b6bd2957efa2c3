"""
The endpoints of one issuer.

Each is a function from a request to a response; what it refuses it raises, and `provider`
turns that into an answer.
"""
