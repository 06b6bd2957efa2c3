"""What a tenant has that routes are about: one of each, by the name of the parameter."""

from browsing import Browser
from callers import name
from spine import FAST

#: What stands in a path and names nothing of anybody's: a section, the number of a save or a job.
OF_NOBODY = {"section": "oidc.ttl", "number": "1", "job": "1", "name": "none"}


class Contents:
    """Somebody with a session and a grant, an application with a secret, an API and keys."""

    def __init__(self, programs, slug):
        product = programs.product
        self.slug = slug
        self.person = product.person(slug)
        self.app = product.app(slug, consent="ask", **FAST)
        with Browser() as browser:
            page = browser.sign_in(browser.open(product.authorize_url(slug, self.app)), self.person)
            page = browser.submit(page, "allow")
            tokens = product.redeem(slug, self.app, page.code)
        assert tokens.status_code == 200, tokens.text
        self.tokens = tokens.json()
        manager = programs.make(slug)
        made = manager.post("/resources", {"identifier": f"https://{name()}.example", "name": "A"})
        assert made.status_code == 201, made.text
        tenant = product.tenant_id(slug)
        image = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>{name()}</text></svg>'
        )
        uploaded = manager.call(
            "POST", "/settings/branding/assets?kind=favicon", content=image,
            headers={"content-type": "image/svg+xml"},
        )  # fmt: skip
        assert uploaded.status_code == 201, uploaded.text

        def only(sql, *values):
            (row,) = product.rows(sql, *values)
            return str(row[0])

        self.ids = {
            "user_id": str(self.person.id),
            "client": str(self.app.id),
            "session_id": only("select id from insula.sessions where user_id = %s", self.person.id),
            "grant_id": only("select id from insula.grants where user_id = %s", self.person.id),
            "secret": only(
                "select id from insula.client_secrets where client_id = %s", self.app.id
            ),
            "resource": made.json()["id"],
            "kid": only(
                "select kid from insula.signing_keys where tenant_id = %s and alg = 'RS256'",
                tenant,
            ),
            "line": only(
                "select id from insula.audit_events where tenant_id = %s order by at desc limit 1",
                tenant,
            ),
            "asset": uploaded.json()["id"],
            "role": "auditor",
            "slug": slug,
            "host": f"{name()}.example",
            **OF_NOBODY,
        }
