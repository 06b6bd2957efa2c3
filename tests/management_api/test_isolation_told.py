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
        assert (told["status"], told["protected"]) == ("archived", True)
    for host in ("canary-a.localhost", "_canary-a.localhost", "canary-a.invalid"):
        answer = product.shared.get(product.url("acme", "/sign-in"), headers={"host": host})
        assert answer.status_code in (400, 403, 404), host
