"""
Every way an OAuth request can fail.

    OAuthError
    ├─ InvalidRequest            400   RFC6749-4.1.2.1, RFC6749-5.2
    │  ├─ InvalidRedirectUri     400   never redirected: the target is the thing in doubt
    │  ├─ RequestTooLarge        413   a body above 64 KB
    │  └─ UnsupportedMediaType   415   a registration that is no JSON
    ├─ InvalidClient             401   RFC6749-5.2
    │  └─ UnknownClient          400   at the authorization endpoint: never redirected
    ├─ InvalidGrant              400   RFC6749-5.2
    ├─ InvalidScope              400   RFC6749-4.1.2.1
    ├─ UnauthorizedClient        400   RFC6749-4.1.2.1
    ├─ UnsupportedGrantType      400   RFC6749-5.2
    ├─ UnsupportedResponseType   400   RFC6749-4.1.2.1
    ├─ AccessDenied              403   RFC6749-4.1.2.1
    ├─ LoginRequired             400   OIDCC-3.1.2.6
    ├─ ConsentRequired           400   OIDCC-3.1.2.6
    ├─ InteractionRequired       400   OIDCC-3.1.2.6
    ├─ AccountSelectionRequired  400   OIDCC-3.1.2.6
    ├─ UnmetRequirements         400   OIDCC-5.5.1.1: an essential acr was not reached
    ├─ InvalidRequestObject      400   JAR-6.2, OIDCC-3.1.2.6
    ├─ InvalidRequestUri         400   OIDCC-3.1.2.6
    │  └─ UnknownRequestUri      400   a pushed one: never redirected
    ├─ RequestNotSupported       400   OIDCC-3.1.2.6: request objects by value
    ├─ RequestUriNotSupported    400   OIDCC-3.1.2.6: request objects by reference
    ├─ InvalidTarget             400   RFC8707-2
    ├─ InvalidAuthorizationDetails 400 RFC9396-5
    ├─ InvalidClientMetadata     400   RFC7591-3.2.2
    │  └─ UnfitRedirectUri       400   RFC7591-3.2.2: `invalid_redirect_uri`
    ├─ InvalidSoftwareStatement  400   RFC7591-3.2.2
    ├─ InvalidDpopProof          400   DPOP-5
    ├─ UseDpopNonce              400   DPOP-8
    ├─ AuthorizationPending      400   RFC8628-3.5
    ├─ PollTooFast               400   RFC8628-3.5: `slow_down`
    ├─ ExpiredToken              400   RFC8628-3.5
    ├─ DeviceDenied              400   RFC8628-3.5: `access_denied` at the token endpoint
    ├─ SlowDown                  429   too many attempts
    └─ TemporarilyUnavailable    503   RFC6749-4.1.2.1

    BearerError                        RFC6750-3.1, at resource endpoints
    ├─ MissingToken              401   a bare challenge, no error code
    ├─ InvalidToken              401
    ├─ InvalidProof              401   DPOP-7.1
    ├─ NonceNeeded               401   DPOP-9
    ├─ StepUpNeeded              401   RFC9470-3
    ├─ InsufficientScope         403
    └─ InvalidBearerRequest      400

    Unreachable                        what a client has at an address of its own cannot be had
"""

from typing import ClassVar


class OAuthError(Exception):
    """
    A refusal the client is told about.

    *description* goes on the wire: one of the fixed sentences at the place that
    refuses, in the characters of RFC6749-4.1.2.1, never a repetition of input.
    *detail* goes to our log only; write it for whoever is on call.
    """

    code: ClassVar[str]
    status: ClassVar[int] = 400
    redirectable: ClassVar[bool] = True

    def __init__(self, description: str, *, detail: str = "") -> None:
        super().__init__(detail or description)
        self.description = description
        self.detail = detail


class InvalidRequest(OAuthError):
    code = "invalid_request"


class InvalidRedirectUri(InvalidRequest):
    redirectable = False


class RequestTooLarge(InvalidRequest):
    status = 413
    redirectable = False


class UnsupportedMediaType(InvalidRequest):
    status = 415
    redirectable = False


class InvalidClient(OAuthError):
    code = "invalid_client"
    status = 401
    redirectable = False


class UnknownClient(InvalidClient):
    status = 400


class InvalidGrant(OAuthError):
    code = "invalid_grant"


class InvalidScope(OAuthError):
    code = "invalid_scope"


class UnauthorizedClient(OAuthError):
    code = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    code = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    code = "unsupported_response_type"


class AccessDenied(OAuthError):
    code = "access_denied"
    status = 403


class LoginRequired(OAuthError):
    code = "login_required"


class ConsentRequired(OAuthError):
    code = "consent_required"


class InteractionRequired(OAuthError):
    code = "interaction_required"


class AccountSelectionRequired(OAuthError):
    code = "account_selection_required"


class UnmetRequirements(OAuthError):
    code = "unmet_authentication_requirements"


class RequestNotSupported(OAuthError):
    code = "request_not_supported"


class RequestUriNotSupported(OAuthError):
    code = "request_uri_not_supported"


class InvalidRequestObject(OAuthError):
    code = "invalid_request_object"


class InvalidRequestUri(OAuthError):
    code = "invalid_request_uri"


class UnknownRequestUri(InvalidRequestUri):
    redirectable = False


class InvalidTarget(OAuthError):
    code = "invalid_target"


class InvalidAuthorizationDetails(OAuthError):
    code = "invalid_authorization_details"


class InvalidClientMetadata(OAuthError):
    code = "invalid_client_metadata"
    redirectable = False


class UnfitRedirectUri(InvalidClientMetadata):
    code = "invalid_redirect_uri"


class InvalidSoftwareStatement(OAuthError):
    code = "invalid_software_statement"
    redirectable = False


class InvalidDpopProof(OAuthError):
    code = "invalid_dpop_proof"


class UseDpopNonce(OAuthError):
    """*nonce* is what the next proof must hold."""

    code = "use_dpop_nonce"

    def __init__(self, description: str, *, nonce: str, detail: str = "") -> None:
        super().__init__(description, detail=detail)
        self.nonce = nonce


class AuthorizationPending(OAuthError):
    code = "authorization_pending"


class PollTooFast(OAuthError):
    code = "slow_down"


class ExpiredToken(OAuthError):
    code = "expired_token"


class DeviceDenied(OAuthError):
    code = "access_denied"


class SlowDown(OAuthError):
    """Too many attempts, or more of something than there may be; *retry_after* in seconds."""

    code = "slow_down"
    status = 429
    redirectable = False

    def __init__(self, description: str, *, retry_after: int, detail: str = "") -> None:
        super().__init__(description, detail=detail)
        self.retry_after = retry_after


class TemporarilyUnavailable(OAuthError):
    """Something that the answer depends on is away; *retry_after* in seconds."""

    code = "temporarily_unavailable"
    status = 503

    def __init__(self, description: str, *, retry_after: int = 2, detail: str = "") -> None:
        super().__init__(description, detail=detail)
        self.retry_after = retry_after


class BearerError(Exception):
    """A refusal at a resource endpoint, told by WWW-Authenticate (RFC6750-3)."""

    code: ClassVar[str | None]
    status: ClassVar[int] = 401

    def __init__(self, description: str = "", *, scope: str = "", detail: str = "") -> None:
        super().__init__(detail or description)
        self.description = description
        self.scope = scope
        self.detail = detail


class MissingToken(BearerError):
    code = None


class InvalidToken(BearerError):
    code = "invalid_token"


class InvalidProof(BearerError):
    code = "invalid_dpop_proof"


class NonceNeeded(BearerError):
    """*nonce* is what the next proof must hold."""

    code = "use_dpop_nonce"

    def __init__(self, description: str, *, nonce: str) -> None:
        super().__init__(description)
        self.nonce = nonce


class StepUpNeeded(BearerError):
    """A fresher or stronger sign-in is needed; *acr_values* and *max_age* say which."""

    code = "insufficient_user_authentication"

    def __init__(
        self, description: str, *, acr_values: str = "", max_age: int | None = None
    ) -> None:
        super().__init__(description)
        self.acr_values = acr_values
        self.max_age = max_age


class InsufficientScope(BearerError):
    code = "insufficient_scope"
    status = 403


class InvalidBearerRequest(BearerError):
    code = "invalid_request"
    status = 400


class Unreachable(Exception):
    """What a client keeps at an address of its own cannot be had; the text is for our log."""


class Overtaken(Exception):
    """What a request rested on ended while it was being answered; decided anew, it may ask."""
