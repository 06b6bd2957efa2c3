"""A browser without script: keeps cookies, follows redirects, fills in forms, reads pages."""

import ipaddress
import random
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2

_MOST_REDIRECTS = 10


class ToThisMachine(httpx2.BaseTransport):
    """`*.localhost` is 127.0.0.1, which browsers know and Python does not; Host stays as it was."""

    def __init__(self, inner=None):
        self._inner = inner or httpx2.HTTPTransport()

    def handle_request(self, request):
        if not request.url.host.endswith(".localhost"):
            return self._inner.handle_request(request)
        sent = httpx2.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return self._inner.handle_request(sent)

    def close(self):
        self._inner.close()


def some_address():
    """An address of its own for every visitor, so that none counts against another."""
    return str(ipaddress.IPv4Address(0x0A000000 + random.getrandbits(24)))  # of 10.0.0.0/8


@dataclass
class Form:
    """What a form would send: what is in it, the boxes that are ticked, and its buttons."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    ticked: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms = []
        self.words = []
        self.links = []
        self._inside = False
        self._in_a_word = False

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self._in_a_word = tag == "wbr"
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get")))
            self._inside = True
        elif self._inside and found.get("name"):
            self._control(tag, found)

    def _control(self, tag, found):
        form, name, value = self.forms[-1], found["name"], found.get("value", "")
        if tag == "button":
            form.buttons.append((name, value))
        elif found.get("type") == "checkbox":
            if "checked" in found:
                form.ticked.append((name, value))
        elif tag == "input" and (found.get("type") != "radio" or "checked" in found):
            form.values[name] = value

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = False

    def handle_data(self, data):
        if self._in_a_word and self.words:
            self.words[-1] += data.strip()
        elif data.strip():
            self.words.append(data.strip())
        self._in_a_word = False


class Page:
    """Where a browser has arrived: a page of the provider, or the address that it left for."""

    def __init__(self, response, left=None):
        self.response = response
        self.left = left
        self._reader = _Reader()
        self._reader.feed(response.text)

    @property
    def url(self):
        return str(self.response.url)

    @property
    def path(self):
        return self.response.url.path

    @property
    def status(self):
        return self.response.status_code

    @property
    def text(self):
        return " ".join(self._reader.words)

    @property
    def links(self):
        return self._reader.links

    @property
    def forms(self):
        return self._reader.forms

    @property
    def form(self):
        (form,) = self._reader.forms
        return form

    @property
    def answer(self):
        """What the application was told, by name."""
        assert self.left is not None, f"still at {self.url}: {self.text}"
        return {name: value for name, (value,) in parse_qs(urlsplit(self.left).query).items()}

    @property
    def code(self):
        assert "code" in self.answer, self.answer
        return self.answer["code"]


class Browser:
    """Somebody's browser, at an address of its own."""

    def __init__(self, address=None, **headers):
        self.address = address or some_address()
        self.http = httpx2.Client(
            transport=ToThisMachine(),
            headers={"x-forwarded-for": self.address, "user-agent": "tests", **headers},
            event_hooks={"response": [self._remember]},
            timeout=30,
        )
        #: Every Set-Cookie header that has come here, with the path that sent it.
        self.received = []

    def _remember(self, response):
        for header in response.headers.get_list("set-cookie"):
            self.received.append((response.url.path, header))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.http.close()

    def cookie(self, url, name):
        """The value of one of the cookies that would go to *url*."""
        host = urlsplit(url).hostname
        kept = self.http.cookies.jar
        return next((c.value for c in kept if (c.name, c.domain) == (name, host)), None)

    def plant(self, url, name, value):
        self.http.cookies.set(name, value, domain=urlsplit(url).hostname, path="/")

    def get(self, url, **options):
        return self.http.get(url, **options)

    def post(self, url, data, **options):
        return self.http.post(url, data=data, **options)

    def open(self, url, **options):
        """Go to *url* and wherever it leads, as far as it is the provider's."""
        return self._follow(self.get(url, **options))

    def _follow(self, response):
        for _ in range(_MOST_REDIRECTS):
            if "location" not in response.headers:
                return Page(response)
            assert response.status_code == 303
            target = urljoin(str(response.url), response.headers["location"])
            if not urlsplit(target).hostname.endswith(".localhost"):
                return Page(response, left=target)
            response = self.get(target)
        raise AssertionError(f"redirected in a circle: {response.url}")

    def submit(self, page, press=None, *, untick=(), **typed):
        """Press a button of the page's form; its first one when none is named."""
        return self._follow(self.send(page, press, untick=untick, **typed))

    def send(self, page, press=None, *, untick=(), headers=None, **typed):
        """Press a button, and look at the bare answer."""
        form = page.form
        if press is None and form.buttons:
            press = form.buttons[0]
        pressed = [next(b for b in form.buttons if press in (b, b[0]))] if press else []
        values = {**form.values, **typed}
        data = {}
        for name, value in [*values.items(), *form.ticked, *pressed]:
            if (name, value) not in untick and value is not None:
                data.setdefault(name, []).append(value)
        return self.post(urljoin(page.url, form.action), data, headers=headers)

    def sign_in(self, page, person, password=None):
        """Type a name and a password, and press the button."""
        typed = person.password if password is None else password
        return self.submit(page, "sign_in", username=person.email, password=typed)
