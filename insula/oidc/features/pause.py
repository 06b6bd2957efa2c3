"""
A client that its administrators have paused (features.md H02).

It begins nothing new: no authorization, pushed request, device or token of its own. What was begun
or given before goes on: codes, refresh tokens, userinfo, introspection, its devices' polls.
"""

from insula.oidc.errors import UnauthorizedClient
from insula.oidc.models import Client


def refuse_paused(client: Client) -> None:
    if client.is_paused:
        raise UnauthorizedClient("The client is paused and may not begin anything new")
