"""A logo that was registered is fetched once, drawn anew, and served from the tenant's host."""

import io
import re

import pytest
from PIL import Image
from product import CALLBACK
from registrar import MINIMAL

from insula.clients.errors import InvalidClientMetadata
from insula.registration.logos import redraw


def picture(kind="PNG", size=(300, 100), colour=(200, 30, 30), **options):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.spec("OIDCR-2", "DR-8", "security row 93")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_every_kind_becomes_a_small_png(kind):
    drawn = Image.open(io.BytesIO(redraw(picture(kind))))

    assert (drawn.format, drawn.size) == ("PNG", (192, 64))
    red, green, blue, alpha = drawn.getpixel((90, 30))
    assert red > 150
    assert max(green, blue) < 80
    assert alpha == 255


@pytest.mark.spec("DR-8", "security row 93")
@pytest.mark.parametrize(
    "body",
    [
        b"", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script>", picture()[:60], picture("BMP"), picture("TIFF"),
        picture("ICO"), b"\x89PNG\r\n\x1a\n" + b"\0" * 100, picture(size=(5000, 1000)),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_image_of_ours_is_refused(body):
    with pytest.raises(InvalidClientMetadata) as refusal:
        redraw(body)

    assert refusal.value.field == "logo_uri"


@pytest.mark.spec("DR-8", "security row 93")
def test_what_stands_beside_the_pixels_is_left_behind():
    marked = picture("JPEG", comment=b"<script>alert(1)</script>") + b"<script>alert(2)</script>"

    assert b"script" in marked
    assert b"script" not in redraw(marked)


@pytest.mark.spec("OIDCR-2", "DR-8")
def test_people_see_the_logo_from_the_tenants_own_host(initech, others):
    uri = others.page("/logo", picture("JPEG"), "image/jpeg")
    client = initech.register(logo_uri=uri, redirect_uris=[CALLBACK])
    assert client["logo_uri"] == uri
    asked = others.asked.count("/logo")

    page = initech.http.get(
        "/oauth2/authorize",
        params={
            "client_id": client["client_id"],
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "code_challenge": "c" * 43,
            "code_challenge_method": "S256",
        },
    )
    cookie = page.headers["set-cookie"].partition(";")[0]
    shown = initech.http.get(page.headers["location"], headers={"cookie": cookie})
    (path,) = re.findall(r'src="(/client-logos/[0-9a-f]{64}\.png)"', shown.text)
    answer = initech.http.get(path)

    assert uri not in shown.text
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "immutable" in answer.headers["cache-control"]
    assert Image.open(io.BytesIO(answer.content)).format == "PNG"
    assert others.asked.count("/logo") == asked  # fetched at registration, and then no more


@pytest.mark.spec("DR-8", "DR-11")
def test_a_logo_goes_with_what_replaces_it(initech, others):
    client = initech.register(logo_uri=others.page("/logo-a", picture(), "image/png"))
    logos = "select 1 from insula.client_logos where tenant_id = %s and client_id = %s"
    (row,) = [row for row in initech.clients() if row.client_id == client["client_id"]]
    assert initech.product.rows(logos, row.tenant_id, row.id)

    after = initech.replace(client).json()

    assert "logo_uri" not in after
    assert not initech.product.rows(logos, row.tenant_id, row.id)


@pytest.mark.spec("OIDCR-2", "DR-8")
@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"<svg/>", "image/svg+xml"), (b"<html>", "image/png"), (b"x" * 600_000, "image/png")],
    ids=["svg", "html", "large"],
)
def test_a_registration_with_another_logo_is_refused(initech, others, body, content_type):
    uri = others.page("/bad-logo", body, content_type)

    assert initech.refused(logo_uri=uri) == "invalid_client_metadata"


@pytest.mark.spec("DR-8")
def test_a_logo_whose_host_is_away_is_done_without(initech):
    client = initech.register(logo_uri="https://nothing.invalid/logo.png")

    assert client["logo_uri"] == "https://nothing.invalid/logo.png"


@pytest.mark.spec("DR-8", "security row 100")
@pytest.mark.parametrize("name", ["x", "00.png", "0" * 64 + ".png", "0" * 64 + ".svg"])
def test_there_is_no_other_logo(initech, name):
    assert initech.http.get(f"/client-logos/{name}").status_code == 404


@pytest.mark.spec("DR-8", "security row 100")
def test_a_logo_of_another_tenant_is_not_there(initech, umbrella, others):
    uri = others.page("/theirs", picture(colour=(1, 2, 3)), "image/png")
    umbrella.post({**MINIMAL, "logo_uri": uri}, token=umbrella.token())
    (row,) = umbrella.product.rows(
        "select encode(digest, 'hex') as name from insula.client_logos where tenant_id = %s",
        umbrella.product.tenant_id("tyrell"),
    )

    assert umbrella.http.get(f"/client-logos/{row.name}.png").status_code == 200
    assert initech.http.get(f"/client-logos/{row.name}.png").status_code == 404
