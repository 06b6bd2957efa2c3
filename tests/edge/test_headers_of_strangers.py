"""Whoever is not the proxy may name a tenant in a header as often as they like."""

import httpx2
import pytest
from addresses import OF_OPS, OF_PLATFORM, OF_TENANTS, filled, seen


@pytest.mark.spec("features BEY-1", "features A04", "security 96")
def test_a_header_of_a_stranger_changes_nothing_anywhere(production):
    server = production.server
    forged = {
        "x-tenant-id": "acme",
        "x-forwarded-host": "login.acme.example",
        "forwarded": "host=login.acme.example",
    }
    with httpx2.Client(base_url=server.url, timeout=30) as http:

        def ask(method, path, label, **headers):
            http.cookies.clear()
            return http.request(method, path, headers={"host": server.host(label), **headers})

        for label, table in (("globex", OF_TENANTS), ("platform", OF_PLATFORM), ("ops", OF_OPS)):
            for method, template in table:
                path = filled(template)
                without, forging = ask(method, path, label), ask(method, path, label, **forged)

                assert seen(forging) == seen(without), (method, template)
                assert without.status_code != 500, (method, template)
