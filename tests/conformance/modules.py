"""
The modules of the certification plans that this release answers, and where each is tested.

A module `oidcc-prompt-login` of the plan `basic` is the test `test_oidcc_prompt_login` in a file
whose name begins with `test_basic_plan`.
"""

PREFIX = "oidcc-"

_DISCOVERY = "discovery-endpoint-verification"

PLANS = {
    "config": (_DISCOVERY,),
    "basic": (
        "server",
        "response-type-missing",
        "idtoken-signature",
        "idtoken-unsigned",
        "userinfo-get",
        "userinfo-post-header",
        "userinfo-post-body",
        "ensure-request-without-nonce-succeeds-for-code-flow",
        "scope-profile",
        "scope-email",
        "scope-address",
        "scope-phone",
        "scope-all",
        "alternate-happy-flow",
        "display-page",
        "display-popup",
        "prompt-login",
        "prompt-none-not-logged-in",
        "prompt-none-logged-in",
        "max-age-1",
        "max-age-10000",
        "ensure-request-with-unknown-parameter-succeeds",
        "id-token-hint",
        "login-hint",
        "ui-locales",
        "claims-locales",
        "ensure-request-with-acr-values-succeeds",
        "codereuse",
        "codereuse-30seconds",
        "ensure-registered-redirect-uri",
        "ensure-post-request-succeeds",
        "server-client-secret-post",
        "request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
        "unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
        "ensure-request-object-with-redirect-uri",
        "claims-essential",
        "refresh-token",
        "ensure-request-with-valid-pkce-succeeds",
    ),
    "dynamic": (
        _DISCOVERY,
        "server",
        "idtoken-unsigned",
        "ensure-request-object-with-redirect-uri",
        "refresh-token",
        "idtoken-rs256",
        "userinfo-rs256",
        "ensure-redirect-uri-in-authorization-request",
        "redirect-uri-query-OK",
        "redirect-uri-query-mismatch",
        "redirect-uri-query-added",
        "redirect-uri-regfrag",
        "registration-logo-uri",
        "registration-policy-uri",
        "registration-tos-uri",
        "registration-jwks-uri",
        "registration-sector-uri",
        "registration-sector-bad",
        "server-rotate-keys",
        "refresh-token-rp-key-rotation",
        "request-uri-unsigned",
        "request-uri-signed-rs256",
        "ensure-client-assertion-with-iss-aud-succeeds",
    ),
    "rp_initiated_logout": (
        f"rp-initiated-logout-{_DISCOVERY}",
        "rp-initiated-logout",
        "rp-initiated-logout-bad-post-logout-redirect-uri",
        "rp-initiated-logout-query-added-to-post-logout-redirect-uri",
        "rp-initiated-logout-modified-id-token-hint",
        "rp-initiated-logout-bad-id-token-hint",
        "rp-initiated-logout-no-id-token-hint",
        "rp-initiated-logout-no-params",
        "rp-initiated-logout-no-post-logout-redirect-uri",
        "rp-initiated-logout-only-state",
        "rp-initiated-logout-no-state",
    ),
    "backchannel_logout": (
        f"backchannel-logout-{_DISCOVERY}",
        "backchannel-rp-initiated-logout",
    ),
    "frontchannel_logout": (
        f"frontchannel-logout-{_DISCOVERY}",
        "frontchannel-rp-initiated-logout",
    ),
    "3rdparty_login": ("3rd_party-init-login", "3rd_party-init-login-nohttps"),
}

#: How many modules the suite has for each plan.
COUNTS = {
    "config": 1,
    "basic": 38,
    "dynamic": 23,
    "rp_initiated_logout": 11,
    "backchannel_logout": 2,
    "frontchannel_logout": 2,
    "3rdparty_login": 2,
}

#: Modules of features that are not built yet: (plan, module).
ARRIVING = frozenset({("basic", "scope-address")})


def name_of_test(module):
    """The name of the test of a module."""
    return "test_" + (PREFIX + module).replace("-", "_").lower()
