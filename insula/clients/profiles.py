"""What stops working for an application that gets another profile (protocol.md section 3)."""

from insula.clients.models import Metadata


def stops(before: Metadata, after: Metadata) -> list[str]:
    """
    What an application does today that it could not do any more, a sentence each.

    What is refused at a save, such as a response type of another profile, is not in it.
    """
    if before.profile == after.profile:
        return []
    told = []
    uses_codes = "authorization_code" in after.grant_types
    is_public = after.token_endpoint_auth_method == "none"
    if uses_codes and after.profile == "oauth21" and not is_public:
        told.append("A request for a code without PKCE is refused.")
    if uses_codes and before.profile == "oauth21":
        told.append("The token endpoint asks for the redirect_uri of each code.")
    if uses_codes and after.profile == "oauth21":
        told.append("Of a signed request only what is inside counts, and its type must be said.")
    told.append("Codes and pushed requests that are under way end.")
    return told
