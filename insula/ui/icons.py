"""
Icons that no template names, because what a page shows decides which one it is.

The build collects the names it finds in templates and adds these.
"""

SCOPE_ICONS = {
    "openid": "user",
    "profile": "id",
    "email": "mail",
    "phone": "phone",
    "address": "map-pin",
    "offline_access": "clock",
}
OTHER_SCOPE_ICON = "key"

COPIED = "check"  # put in by ui.js

NAMED_BY_CODE = frozenset({*SCOPE_ICONS.values(), OTHER_SCOPE_ICON, COPIED})
