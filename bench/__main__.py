"""Measure, print, write docs/performance.md."""

import asyncio
import sys

import uvloop

from bench.flows import Flows
from bench.installation import installed
from bench.load import Result, measure


async def main(quick: bool) -> list[Result]:
    slugs = [f"bench{n:04}" for n in range(10)]
    seconds = 2.0 if quick else 4.0
    results: list[Result] = []
    async with installed(slugs) as here:
        flows = Flows(here, slugs[0])
        for name, make in (
            ("discovery, 10 tenants in turn", flows.document("/.well-known/openid-configuration", slugs)),
            ("JWKS, 10 tenants in turn", flows.document("/oauth2/jwks", slugs)),
            ("client_credentials, ES256 JWT", flows.client_credentials),
            ("code + token + userinfo, id_token RS256", flows.code("rs256")),
            ("code + token + userinfo, id_token ES256", flows.code("es256")),
            ("refresh with rotation, id_token RS256", flows.refresh("rs256")),
            ("refresh with rotation, id_token ES256", flows.refresh("es256")),
            ("userinfo", flows.userinfo),
            ("introspection", flows.introspection),
            ("whole sign-in with password hash", flows.sign_in),
        ):
            result = await measure(here, name, make, seconds=seconds)
            results.append(result)
            print(f"{name:42} {result.per_second:9.0f}/s  p50 {result.p50:6.2f}  p95 {result.p95:6.2f}  p99 {result.p99:6.2f}  cpu {result.cpu_ms:6.3f} ms  trips {result.trips:4.1f}", flush=True)
    return results


if __name__ == "__main__":
    uvloop.run(main("--quick" in sys.argv))
