"""The kinds of application that others write."""

#: How an application proves itself, and how its id_tokens are signed.
KINDS = {
    "RS256, client_secret_basic": ("client_secret_basic", "RS256"),
    "ES256, client_secret_post": ("client_secret_post", "ES256"),
    "ES256, no secret": ("none", "ES256"),
}
