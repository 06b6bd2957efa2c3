"""
Telling a client that a sign-in ended (OIDCBCL-2.5), from the worker.

The notice was written in the act that ended the session; here it is signed, with the keys of
today, and sent through the one door. A client that does not take it is tried again for a day.
"""

from uuid import UUID

from insula.clients import service as clients
from insula.kernel.crypto import Envelope
from insula.kernel.errors import Unavailable
from insula.keys import service as keys
from insula.oidc.features.logout import LOGOUT_TOKEN_TYPE, logout_claims
from insula.oidc.issuer import pairwise_subject
from insula.outbound.door import Door
from insula.outbound.errors import AddressRefused
from insula.providers.store import notices
from insula.tenancy.db import Tenant

#: What a client answers when it has understood (OIDCBCL-2.8; 204 is in use too).
_TAKEN = frozenset({200, 204})


class NotTaken(Unavailable):
    """The client answered something else."""


async def deliver(tenant: Tenant, envelope: Envelope, door: Door, notice: UUID) -> bool:
    """
    Send one logout token; whether there was anything to send.

    Raises `NotTaken`, or an `OutboundError`, for the queue to try again; an address that may not
    be asked never will be, so that notice is given up.
    """
    rows = await tenant.once(notices.LOGOUT_NOTICE, {"id": notice})
    client = await clients.find(tenant, rows[0].client_id) if rows else None
    if client is None or not client.backchannel_logout_uri:
        return False
    keyring = await keys.load(tenant, envelope)
    subject = pairwise_subject(client, rows[0].user_id, keyring.cipher.derive("pairwise subjects"))
    key = keyring.ring.signing[client.id_token_signed_response_alg]
    says = logout_claims(
        tenant.issuer, client, subject=subject, sid=str(rows[0].sid), jti=notice.hex
    )
    token = await key.issue(LOGOUT_TOKEN_TYPE, says)
    try:
        answer = await door.post(
            client.backchannel_logout_uri,
            form={"logout_token": token},
            limit=0,
            purpose="backchannel_logout",
            party=str(tenant.id),
        )
    except AddressRefused:
        return False
    if answer.status not in _TAKEN:
        raise NotTaken("the client did not take the notice", detail=f"status {answer.status}")
    await tenant.once(notices.LOGOUT_DELIVERED, {"id": notice})
    return True
