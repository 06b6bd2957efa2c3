"""The browser of the person who is certified, driven by hand: each request is a turn."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urljoin, urlsplit

from browsing import Page
from turns import request

_MOST_STEPS = 12


@dataclass
class Arrival:
    """Where a browser ends: at a page of the provider, or back at the suite with an answer."""

    #: The last page of the provider; None if the browser was never shown one.
    page: Page | None
    #: What the suite was told, by name; None when nothing was sent to it.
    answer: dict[str, str] | None = None
    #: Where it was told that.
    url: str | None = None
    mode: str | None = None
    #: The paths of the pages on which the person had to do something.
    acted: list[str] = field(default_factory=list)


class Visitor:
    """Somebody at a browser without script, who signs in and allows whatever is asked."""

    def __init__(self, site):
        self._site = site
        self._http = site.http(headers={"user-agent": "suite"})

    def close(self):
        self._http.close()

    async def go(self, url, method="GET", **options):
        """Go to *url* and act until there is nothing to do."""
        arrival = Arrival(None)
        response = await request(self._http, method, url, **options)
        for _ in range(_MOST_STEPS):
            if "location" in response.headers:
                assert response.status_code == 303, response.status_code
                target = urljoin(str(response.url), response.headers["location"])
                if not self._is_ours(target):
                    return self._told(arrival, target, "query")
                response = await request(self._http, "GET", target)
                continue
            arrival.page = page = Page(response)
            _check_html(response)
            form = page.forms[0] if page.forms else None
            if form is None:
                return arrival
            target = urljoin(page.url, form.action)
            if not self._is_ours(target):
                return self._told(arrival, target, "form_post", form.values)
            act = _ACTS[page.path]
            arrival.acted.append(page.path)
            response = await request(self._http, "POST", target, data=self._filled(form, act))
        raise AssertionError(f"no end: {arrival}")

    def _is_ours(self, url):
        return url.startswith(f"{self._site.issuer}/")

    def _told(self, arrival, target, mode, values=None):
        parts = urlsplit(target)
        pairs = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
        if mode == "form_post":
            assert pairs == [], "an answer by form_post leaves nothing in the address"
            pairs = list(values.items())
        assert len(dict(pairs)) == len(pairs), pairs
        arrival.answer, arrival.mode = dict(pairs), mode
        arrival.url = parts._replace(query="").geturl()
        return arrival

    def _filled(self, form, button):
        typed = {}
        if button == "sign_in":
            person = self._site.person
            typed = {"username": person.username, "password": person.password}
        pressed = next(pair for pair in form.buttons if pair[0] == button)
        values = [*{**form.values, **typed}.items(), *form.ticked, pressed]
        data = {}
        for name, value in values:
            data.setdefault(name, []).append(value)
        return data


_ACTS = {"/sign-in": "sign_in", "/sign-in/consent": "allow", "/sign-in/out": "sign_out"}


def _check_html(response):
    """What every page of the provider says of itself (section 1)."""
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "no-store" in response.headers["cache-control"]
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-frame-options"] == "DENY"
