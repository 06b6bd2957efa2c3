"""
`id_token_hint`: whom the client believes to be here (OIDCC-3.1.2.1).

A hint is worth something only if this issuer signed it for this client. One that is
expired still names the person.
"""

from collections.abc import Mapping
from typing import Any

from insula.oidc.errors import LoginRequired
from insula.oidc.issuer import Issuer
from insula.oidc.models import Client, Features, Session
from insula.oidc.sightings import note_token

PARAMETERS = frozenset({"id_token_hint"})


def metadata(_features: Features) -> dict[str, Any]:
    return {}


def check_hint(params: Mapping[str, str], client: Client, issuer: Issuer, session: Session) -> None:
    """Refuse a silent request about somebody else; a hint that proves nothing is nobody's."""
    hint = params.get("id_token_hint")
    if hint is None:
        return
    claims = issuer.verifier.id_token_hint(hint)
    if claims is None or claims["aud"] != client.client_id:
        raise LoginRequired("id_token_hint is not an id_token for this client")
    note_token(issuer.sightings, client, hint)
    if claims["sub"] != issuer.subject(client, session.user_id):
        raise LoginRequired("Another person is signed in than id_token_hint names")
