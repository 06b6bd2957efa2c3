"""
Administrators' sessions: a second door, opened by proving oneself anew, for whoever has a role.

Owns    admin_sessions
Serves  /admin, /admin/sign-in, /admin/sign-out, /admin/session, /admin/step-up, /admin/theme
Refuses an ordinary session as proof of anything; roles and status are read on every request
"""
