"""Every page once or more, with what its template asks for."""

from datetime import UTC, datetime

from insula.ui.branding import Branding
from insula.ui.views import Account, App, Person, ScopeLine

ACME = Branding(
    name="Acme",
    tile_letter="A",
    accent="#a8430a",
    host="id.acme.example",
    links=(("Privacy", "https://acme.example/privacy"), ("Help", "mailto:help@acme.example")),
)
MIRA = Person("Mira Okafor", "mira.okafor@acme.example", 3)
LEDGER = App(
    name="Ledger",
    host="app.ledger.example",
    uri="https://ledger.example/",
    policy_uri="https://ledger.example/privacy",
    tos_uri="https://ledger.example/terms",
    first_party=False,
    initials="Le",
)
SCOPES = [
    ScopeLine("openid", "user", "See who you are", "Name, username, picture", required=True),
    ScopeLine("offline_access", "clock", "Stay connected", "While you are away.", required=False),
]
LONG = "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff"
LONG_HOST = "reporting-and-reconciliation.internal.northwind-and-partners.example"

SIGN_IN = {
    "branding": ACME,
    "app": "Ledger",
    "client": LEDGER,
    "username": "",
    "errors": [],
    "alert": None,
    "csrf_token": "t0ken",
    "action": "/sign-in",
    "user": None,
    "switch_url": None,
}
NEW_PASSWORD = {
    "branding": ACME,
    "app": "Ledger",
    "by_link": False,
    "user": MIRA,
    "username": MIRA.email,
    "min_length": 15,
    "errors": [],
    "csrf_token": "t0ken",
    "action": "/sign-in/new-password",
}
CONSENT = {
    "branding": ACME,
    "client": LEDGER,
    "scopes": SCOPES,
    "user": MIRA,
    "csrf_token": "t0ken",
    "action": "/sign-in/consent",
    "switch_url": "/sign-in/select-account",
    "audiences": [],
    "is_known": False,
}
MORE = {
    "client": LEDGER._replace(verified=False),
    "scopes": [
        *SCOPES,
        ScopeLine("orders:read", "key", "See your orders", "Of the shop", required=True, new=True),
    ],
    "audiences": ["Orders", "Stock"],
    "is_known": True,
}
DEVICE = {
    "branding": ACME,
    "user": MIRA,
    "code": "WDJB-MJHT",
    "csrf_token": "t0ken",
    "action": "/device",
    "switch_url": "/device?user_code=WDJB-MJHT&another=1",
}
ERROR = {
    "branding": ACME,
    "code": "redirect_uri_mismatch",
    "title": "Ledger sent an address we do not know",
    "text": "To protect you we stopped here. Nothing was shared.",
    "request_id": "0197f2c4-8b1e-7d0a-9c55-3f1e6a20b7d4",
    "at": datetime(2026, 11, 20, 10, 14, 7, tzinfo=UTC),
    "action_label": "Back to Ledger",
    "action_url": "https://app.ledger.example/",
    "cancel_host": "app.ledger.example",
}

ADMIN_SIGN_IN = {
    "branding": ACME,
    "username": "",
    "errors": [],
    "alert": None,
    "csrf_token": "t0ken",
    "action": "/admin/sign-in",
    "is_platform": False,
    "is_unsent": True,
}
STEP_UP = {
    "branding": ACME,
    "user": MIRA,
    "username": MIRA.email,
    "minutes": 5,
    "errors": [],
    "alert": None,
    "csrf_token": "t0ken",
    "action": "/admin/step-up",
    "cancel_url": "/admin",
    "is_unsent": True,
}
ADMIN_HOME = {
    "branding": ACME,
    "user": MIRA,
    "title": "Superadmin",
    "platform_url": "/platform",
    "csrf_token": "t0ken",
}

PAGES = {
    "admin-sign-in": ("admin_sessions/sign_in.html", ADMIN_SIGN_IN),
    "admin-sign-in-refused": (
        "admin_sessions/sign_in.html",
        ADMIN_SIGN_IN
        | {
            "errors": [("username", "Enter your name."), ("password", "Enter your password.")],
            "alert": ("Too many tries", "Wait 12 minutes, then try again."),
        },
    ),
    "step-up": ("admin_sessions/step_up.html", STEP_UP),
    "admin-home": ("admin_sessions/home.html", ADMIN_HOME),
    "sign-in": ("sign_in/sign_in.html", SIGN_IN),
    "sign-in-refused": (
        "sign_in/sign_in.html",
        SIGN_IN
        | {
            "username": MIRA.email,
            "errors": [("username", "Enter your name."), ("password", "Enter your password.")],
        },
    ),
    "sign-in-paused": (
        "sign_in/sign_in.html",
        SIGN_IN | {"alert": ("bad", "Too many tries", "Wait 12 minutes, then try again.")},
    ),
    "reauthenticate": (
        "sign_in/sign_in.html",
        SIGN_IN
        | {
            "user": MIRA,
            "username": MIRA.email,
            "switch_url": "/sign-in/select-account",
        },
    ),
    "new-password": ("sign_in/new_password.html", NEW_PASSWORD),
    "activate": ("sign_in/new_password.html", NEW_PASSWORD | {"app": None, "by_link": True}),
    "new-password-refused": (
        "sign_in/new_password.html",
        NEW_PASSWORD | {"errors": [("new_password", "Too short."), ("repeat", "Not the same.")]},
    ),
    "consent": ("sign_in/consent.html", CONSENT),
    "consent-long": (
        "sign_in/consent.html",
        CONSENT | {"client": LEDGER._replace(name=LONG, host=LONG_HOST, first_party=True)},
    ),
    "consent-again": ("sign_in/consent.html", CONSENT | MORE),
    "device": (
        "devices/enter.html",
        DEVICE | {"error": "", "alert": ""},
    ),
    "device-refused": (
        "devices/enter.html",
        DEVICE
        | {
            "error": "No device waits under this code.",
            "alert": "Wait 9 minutes, then try again.",
        },
    ),
    "device-asks": (
        "devices/confirm.html",
        DEVICE
        | {
            "client": LEDGER._replace(verified=False),
            "scopes": SCOPES,
            "audiences": ["Orders", "Stock"],
            "ip": "192.0.2.7",
            "user_agent": "Ledger TV/4.2",
            "at": datetime(2026, 11, 20, 10, 14, 7, tzinfo=UTC),
        },
    ),
    "device-connected": (
        "devices/decided.html",
        {"branding": ACME, "application": "Ledger TV", "allowed": True},
    ),
    "device-not-connected": (
        "devices/decided.html",
        {"branding": ACME, "application": "Ledger TV", "allowed": False},
    ),
    "select-account": (
        "sign_in/select_account.html",
        {
            "branding": ACME,
            "accounts": [
                Account("1", *MIRA, "Signed in"),
                Account("2", LONG, f"{LONG}@{LONG_HOST}", 4, "Signed out"),
            ],
            "app": "Ledger",
            "csrf_token": "t0ken",
            "action": "/sign-in/select-account",
            "other_url": "/sign-in?other",
        },
    ),
    "sign-out": (
        "sign_in/sign_out.html",
        {
            "branding": ACME,
            "user": MIRA,
            "app": "Ledger",
            "csrf_token": "t0ken",
            "action": "/sign-out",
        },
    ),
    "signed-out": (
        "sign_in/signed_out.html",
        {"branding": ACME, "app": "Ledger", "frames": [], "return_to": None},
    ),
    "signed-out-and-on": (
        "sign_in/signed_out.html",
        {"branding": ACME, "app": "Ledger", "frames": [], "return_to": "https://app.example/bye"},
    ),
    "signed-in": (
        "sign_in/signed_in.html",
        {"branding": ACME, "user": MIRA, "sign_out_url": "/out", "switch_url": "/switch"},
    ),
    "error": ("ui/error.html", ERROR),
    "error-without-tenant": (
        "ui/error.html",
        ERROR | {"branding": None, "action_label": None, "action_url": None, "cancel_host": None},
    ),
    "form-post": (
        "ui/form_post.html",
        {"action": "https://app.ledger.example/cb", "fields": [("code", "c0de"), ("submit", "x")]},
    ),
}
