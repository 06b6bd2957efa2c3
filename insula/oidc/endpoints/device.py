"""
The device authorization endpoint: RFC8628-3.1.

A device without a keyboard gets two codes: a long one, which it polls with, and a short one,
which a person types at another screen.
"""

import secrets

from insula.kernel.ids import Kind, new_secret
from insula.oidc import issuer as paths
from insula.oidc.artefacts import NewDevice
from insula.oidc.client_authentication import authenticate
from insula.oidc.errors import TemporarilyUnavailable, UnauthorizedClient
from insula.oidc.features import resources, scopes
from insula.oidc.features.authorization_details import refuse_details
from insula.oidc.features.pause import refuse_paused
from insula.oidc.grants.device_code import GRANT_TYPE
from insula.oidc.http import Request, Response, json_answer
from insula.oidc.issuer import Issuer
from insula.oidc.request import read_back_channel
from insula.oidc.signing import compact_json

#: Consonants that are not read for one another, and spell no words: about 34 bits in eight.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 8
INTERVAL = 5
_TRIES = 5


async def authorize_device(issuer: Issuer, request: Request) -> Response:
    params = await read_back_channel(request)
    client = await authenticate(issuer, request, params)
    if GRANT_TYPE not in client.grant_types:
        raise UnauthorizedClient("The client may not use this grant type")
    refuse_paused(client)
    refuse_details(params)
    if client.is_public:
        issuer.clients.refuse_burst(client, request.caller)
    asked = scopes.read_device_scopes(params, client, issuer.scopes)
    chosen = resources.read_resources(params, client, asked, issuer.resources, issuer.url)
    for _ in range(_TRIES):
        device = NewDevice(
            device_code=new_secret(Kind.DEVICE_CODE),
            user_code="".join(secrets.choice(ALPHABET) for _ in range(_LENGTH)),
            client=client,
            scopes=asked,
            resources=chosen,
            lifetime=issuer.lifetimes.device_code,
            interval=INTERVAL,
        )
        if await issuer.devices.begin(device, request.caller):
            return json_answer(compact_json(_describe(issuer, device)).encode())
    raise TemporarilyUnavailable("No code is free at the moment", detail="user codes collide")


def _describe(issuer: Issuer, device: NewDevice) -> dict[str, str | int]:
    shown = f"{device.user_code[:4]}-{device.user_code[4:]}"
    page = issuer.url + paths.DEVICE_PAGE
    return {
        "device_code": device.device_code,
        "user_code": shown,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={shown}",
        "expires_in": device.lifetime,
        "interval": device.interval,
    }
