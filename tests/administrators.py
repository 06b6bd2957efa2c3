"""Administrators of tenants, and of the platform, in browsers of their own."""

from browsing import Browser

SIGN_IN = "/admin/sign-in"
COOKIE = "insula_admin"


def admin_of(product, slug, *roles):
    """Somebody who administers a tenant."""
    return product.person(slug, roles=("user", *(roles or ("admin",))))


def signed_in(product, slug, person):
    """The browser of an administrator who has just signed in."""
    browser = Browser()
    arrived = browser.sign_in(browser.open(product.url(slug, SIGN_IN)), person)
    assert browser.cookie(product.url(slug, "/"), COOKIE), arrived.text
    return browser


def session_of(product, slug, browser):
    """What the server says of whoever is signed in there; None for nobody."""
    answer = browser.get(
        product.url(slug, "/admin/session"), headers={"accept": "application/json"}
    )
    return answer.json() if answer.status_code == 200 else None


def long_ago(product, person, column, minutes):
    """Move a moment of somebody's sessions into the past."""
    return product.change(
        f"update insula.admin_sessions set {column} = {column} - make_interval(mins => %s)"  # noqa: S608  (names of ours)
        " where user_id = %s",
        minutes,
        person.id,
    )
