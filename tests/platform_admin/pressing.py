"""Forms of pages that have several."""

from urllib.parse import urljoin


def submit(browser, page, action, **typed):
    """Send the form of a page that has this action, with what is typed into it."""
    form = next(form for form in page.forms if form.action.endswith(action))
    url = urljoin(page.url, form.action)
    ticked = {}
    for name, value in form.ticked:
        ticked.setdefault(name, []).append(value)
    data = {**form.values, **ticked, **typed}
    sent = {name: value for name, value in data.items() if value is not None}
    return browser._follow(browser.post(url, sent))  # noqa: SLF001  (one of several forms)
