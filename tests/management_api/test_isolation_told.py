"""What the probe between the canaries found, told to programs of the platform."""

import jwt
import pytest
from callers import refusal
from probing import hole, probe


@pytest.mark.spec("features BEY-1")
def test_the_report_is_told_and_can_be_verified(product, programs, platform):
    with hole(product):
        probe(product)
    probe(product)

    said = platform.get("/platform/isolation").json()

    assert said["standing"] == "ok"
    assert said["failures_so_far"] > 0
    newest, failed = said["newest"], said["failed"][0]
    assert (newest["result"], newest["failures"], newest["unproved"]) == ("passed", [], [])
    assert newest["at"] == said["passed_at"]
    assert {"table": "seen_once", "door": "app_once", "bound": "nobody"} in failed["failures"]
    published = product.http().get(product.url("platform", "/oauth2/jwks")).json()
    for run in (newest, failed):
        kid = jwt.get_unverified_header(run["report"])["kid"]
        (key,) = [each for each in published["keys"] if each["kid"] == kid]
        claims = jwt.decode(
            run["report"], jwt.PyJWK.from_dict(key), algorithms=["ES256"],
            issuer=product.issuer("platform"),
        )  # fmt: skip
        assert claims["jti"] == run["id"]
        assert (claims["result"], claims["cells"]) == (run["result"], run["cells"])
        assert len(claims["failures"]) == len(run["failures"])
    refusal(
        programs.make("_platforms", ["tenants:read"]).get("/platform/isolation"), 403, "forbidden"
    )


@pytest.mark.spec("features BEY-1")
def test_canaries_are_in_no_list_and_marked_where_they_are_named(product, platform):
    probe(product)

    for query in ("q=_canary", "status=archived&q=_canary"):
        assert platform.get(f"/tenants?{query}").json()["data"] == []
    for canary in ("_canary-a", "_canary-b"):
        told = platform.get(f"/tenants/{canary}").json()
        assert told["protected"]
    # over a socket nobody is there, by the host that they have or by any other name
    (known,) = product.rows(
        "select host from insula.tenant_hosts where host = 'canary-a.canary.invalid'"
    )
    for host in (known.host, "canary-a.localhost", "canary-a.invalid"):
        for path in ("/sign-in", "/oauth2/jwks", "/api/v1/me", "/.well-known/openid-configuration"):
            answer = product.shared.get(product.url("acme", path), headers={"host": host})
            assert answer.status_code == 404, (host, path)
    for name in ("_canary-a", "canary-a"):  # this machine is trusted with the header
        said = {"host": "localhost", "x-tenant-id": name}
        answer = product.shared.get(product.url("acme", "/oauth2/jwks"), headers=said)
        assert answer.status_code in (400, 404), name
    slug = {"host": "_canary-a.localhost"}
    assert product.shared.get(product.url("acme", "/sign-in"), headers=slug).status_code == 400
