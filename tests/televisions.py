"""An application without a keyboard: it shows a code, and polls."""

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def make_tv(product, slug, **metadata):
    """Register the application that runs on televisions."""
    values = {
        "redirect_uris": (),
        "post_logout_redirect_uris": (),
        "response_types": (),
        "grant_types": (GRANT, "refresh_token"),
        "id_token_signed_response_alg": "ES256",
        "consent": "ask",
        **metadata,
    }
    return product.app(slug, **values)


class Television:
    """One television; *asked* is what it wants beside the usual."""

    def __init__(self, api, **asked):
        answer = api.post("/oauth2/device", **{"scope": "openid profile"} | asked)
        assert answer.status_code == 200, answer.text
        self._api = api
        self.given = answer.json()
        self.user_code = self.given["user_code"]

    def poll(self):
        return self._api.token(grant_type=GRANT, device_code=self.given["device_code"])

    def is_told(self, error):
        answer = self.poll()
        assert (answer.status_code, answer.json()["error"]) == (400, error), answer.text
        return True

    def tokens(self):
        answer = self.poll()
        assert answer.status_code == 200, answer.text
        return answer.json()


def wrong_code(n):
    """A code that is well-formed and nobody's, another for each *n* below ten thousand."""
    return "XXXX" + "".join("BCDFGHJKLM"[int(digit)] for digit in f"{n:04d}")
