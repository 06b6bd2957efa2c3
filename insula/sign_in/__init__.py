"""
Sign-in: how a person proves who they are, and what they allow.

Owns    sessions, interactions, grants, attempt_counters
Serves  /, /sign-in, /sign-in/activate, /sign-in/new-password, /sign-in/select-account,
        /sign-in/consent, /sign-in/out
Refuses to know OAuth: an interaction says what is needed, a step does it and sends the
        browser back to the front door
"""
