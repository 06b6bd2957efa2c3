"""The description of the API is kept, complete for its host, and true."""

import itertools
import re

import pytest
import requests
import schemathesis
from callers import routes
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

from insula.management_api.api import ROUTES
from insula.management_api.description import Descriptions
from insula.platform import api_docs


def test_the_recorded_document_is_what_the_routes_say():
    """Because a change of it is a change for every caller: `python -m insula.platform.api_docs`."""
    assert api_docs.DOCUMENT.read_text() == api_docs.as_json()
    assert api_docs.PAGE.read_text() == api_docs.as_page()


@pytest.mark.spec("features Z09")
def test_each_host_describes_itself_and_a_tenants_leaves_out_what_crosses_tenants(ours, platform):
    tenants, platforms = (
        each.call("GET", "/openapi.json", headers={"authorization": ""}).json()
        for each in (ours, platform)
    )

    issuer = ours.product.issuer("ours")
    assert tenants["openapi"].startswith("3.1")
    assert tenants["servers"] == [{"url": f"{issuer}/api/v1"}]
    flows = tenants["components"]["securitySchemes"]["insula"]["flows"]
    assert flows["clientCredentials"]["tokenUrl"] == f"{issuer}/oauth2/token"
    assert "/tenants" in platforms["paths"]
    assert "tenant" not in " ".join(tenants["paths"])
    assert not [s for s in flows["clientCredentials"]["scopes"] if "tenant" in s]
    described = {(m.upper(), p) for p, ms in platforms["paths"].items() for m in ms}
    assert described == {(m, p) for m, p, _ in routes()}


@pytest.mark.spec("features Z09")
def test_the_page_shows_every_route_and_loads_nothing_of_others(ours):
    page = ours.call("GET", "/docs", headers={"authorization": ""})

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for method, path, rule in routes():
        shown = f"{method} {path}</code>" in page.text
        assert shown is not rule.across, (method, path)
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page.text)
    assert "style=" not in page.text
    assert "<script>" not in page.text


#: What would change what other tests look at, or answers once and never again.
_LEFT_OUT = ("/keys", "/tenants/{slug}/status", "/clients/{client}/secrets")


@pytest.mark.spec("features Z09", "security 110")
def test_calls_of_all_kinds_are_answered_as_described(programs, product, often):
    """Made of the description, seeded: valid ones and wrong ones, and never a 500."""
    document = Descriptions(ROUTES).of("_platforms", product.issuer("platform"))
    schema = schemathesis.openapi.from_dict(document)
    callers = itertools.cycle([programs.make("_platforms") for _ in range(30)])
    checks = [not_a_server_error, content_type_conformance, response_schema_conformance]
    seen, session = set(), requests.Session()

    def run(case):
        caller = next(callers)
        answer = case.call(
            session=session,
            base_url=f"http://127.0.0.1:{product.server.port}/api/v1",
            headers={
                "authorization": f"Bearer {caller.token}",
                "host": product.server.host("platform"),
            },
        )
        seen.add(answer.status_code)
        case.validate_response(answer, checks=checks)

    for operation in schema.get_all_operations():
        described = operation.ok()
        if described.path.startswith(_LEFT_OUT):
            continue
        said = document["paths"][described.path][described.method.lower()]
        for mode in schemathesis.GenerationMode:
            if mode.is_negative and not said.keys() & {"parameters", "requestBody"}:
                continue  # there is nothing to get wrong
            strategy = described.as_strategy(generation_mode=mode)
            _examples(strategy, run, often(1, 20))

    assert {200, 404, 422} <= seen


def _examples(strategy, run, most):
    @seed(20)
    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def example(case):
        run(case)

    example()
