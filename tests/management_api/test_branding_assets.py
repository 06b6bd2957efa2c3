"""Images by API: uploaded, named by settings, served to whoever signs in at that tenant alone."""

import io
import re
import secrets

import pytest
from browsing import Browser
from callers import refusal
from PIL import Image

ASSETS = "/settings/branding/assets"
LOOK = "/settings/branding"


def picture(size=(240, 72)):
    out = io.BytesIO()
    Image.frombytes("RGB", size, secrets.token_bytes(3) * (size[0] * size[1])).save(out, "PNG")
    return out.getvalue()


def upload(caller, kind="logo_light", body=None, path=ASSETS, name="logo.svg"):
    """As a form does it; the name of the file is worth nothing."""
    files = {"file": (name, body or picture(), "text/html")}
    return caller.call("POST", path, data={"kind": kind}, files=files)


@pytest.fixture
def fresh(programs):
    """A program of a tenant of its own."""
    slug = f"img{secrets.token_hex(5)}"
    programs.product.tenant(slug)
    return programs.make(slug)


@pytest.fixture
def visit(programs):
    """An address of a tenant's host, as a browser asks for it."""
    product = programs.product

    def visit(slug, path, method="GET", **headers):
        return product.shared.request(
            method, product.url(slug, path), headers={"accept": "text/html", **headers}
        )

    return visit


@pytest.fixture
def look(programs):
    """The page that an address leads a stranger to."""

    def look(slug, path, **headers):
        with Browser(**headers) as browser:
            return browser.open(programs.product.url(slug, path)).response.text

    return look


@pytest.mark.spec("features J11", "features Z01", "features C01", "features CR-11")
def test_an_uploaded_logo_is_shown_where_people_sign_in_and_at_no_other_tenant(
    fresh, theirs, visit, look
):
    made = upload(fresh)
    assert made.status_code == 201, made.text
    light = made.json()
    assert (light["kind"], light["media_type"]) == ("logo_light", "image/png")
    assert (light["width"], light["height"]) == (240, 72)
    assert light["created_by"].startswith("client ")
    alone = fresh.call(
        "POST", f"{ASSETS}?kind=favicon", content=picture((32, 32)),
        headers={"content-type": "application/octet-stream"},
    ).json()  # fmt: skip
    dark = upload(fresh, "logo_dark").json()
    assert upload(fresh, body=picture()).json()["path"] != light["path"]

    saved = fresh.put(
        LOOK,
        {"companyName": "Acme Corp", "logo": light["path"], "favicon": alone["path"],
         "icon_url": alone["path"]},
        headers={"if-match": "*"},
    )  # fmt: skip
    assert saved.json()["own"]["logo_light"] == light["path"]

    page = look(fresh.slug, "/sign-in")
    assert f'<img src="{light["path"]}" alt="Acme Corp" width="240" height="72">' in page
    assert f'<link rel="icon" href="{alone["path"]}">' in page
    assert f'<link rel="apple-touch-icon" href="{alone["path"]}">' in page
    assert "<picture>" not in page
    fresh.patch(LOOK, {"logo_dark": dark["path"], "logo_icon_dark": dark["path"]})
    for path in ("/sign-in", "/nothing-here", "/device", "/admin/sign-in"):
        page = look(fresh.slug, path)
        found = re.search(r'<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)"', page)
        assert found, path
        assert found[1] == dark["path"]

    shown = visit(fresh.slug, light["path"])
    assert shown.status_code == 200
    assert {
        name: shown.headers[name]
        for name in ("content-type", "cache-control", "etag", "x-content-type-options",
                     "content-security-policy")
    } == {
        "content-type": "image/png",
        "cache-control": "public, max-age=31536000, immutable",
        "etag": f'"{light["path"].removeprefix("/img/")}"',
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    }  # fmt: skip
    assert len(shown.content) == light["bytes"]
    head = visit(fresh.slug, light["path"], "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(light["bytes"])
    again = visit(fresh.slug, light["path"], **{"if-none-match": shown.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for slug in (theirs.slug, "platform"):
        assert visit(slug, light["path"]).status_code == 404
    for wrong in ("/img/none", f"/img/{'0' * 64}", light["path"].upper().replace("/IMG", "/img")):
        assert visit(fresh.slug, wrong).status_code == 404


@pytest.mark.spec("features J11", "features C02")
def test_a_setting_names_an_image_of_its_own_tenant_or_is_refused(fresh, theirs, platform):
    foreign = upload(theirs).json()["path"]
    own = upload(fresh).json()["path"]
    for path in (foreign, f"/img/{'0' * 64}", "/uploads/acme-logo.png", "https://x.example/a.png"):
        for field in ("logo_light", "favicon"):
            said = refusal(fresh.patch(LOOK, {field: path}), 422, "validation_failed")
            assert said["errors"][0]["field"] == f"branding.{field}"
    document = {"branding": {"logo_dark": foreign}}
    refusal(fresh.post("/settings/import", {"settings": document}), 422, "validation_failed")
    refusal(
        fresh.put("/configuration", {"settings": document}, headers={"if-match": "*"}),
        422, "validation_failed",
    )  # fmt: skip
    assert fresh.get(LOOK).json()["own"] == {}
    refusal(
        platform.put("/platform/defaults/branding", {"favicon": own}, headers={"if-match": "*"}),
        422, "field_not_overridable",
    )  # fmt: skip

    assert fresh.post(
        "/settings/import", {"settings": {"branding": {"logo_dark": own}}}
    ).json() == {"changed": ["branding.logo_dark"]}


@pytest.mark.spec("features J11", "features Z01", "features D01")
def test_the_platform_uploads_for_a_tenant_and_that_stands_in_its_record(fresh, platform, look):
    config = f"/tenants/{fresh.slug}/config/branding"
    made = upload(platform, "logo_icon_light", path=f"{config}/assets").json()
    assert made["created_by"].startswith("platform ")
    wanted = {"logo_icon_light": made["path"]}
    saved = platform.put(config, wanted, headers={"if-match": "*"})
    assert saved.json()["own"] == wanted
    assert f'<img src="{made["path"]}" alt=' in look(fresh.slug, "/sign-in")
    assert [each["id"] for each in fresh.get(ASSETS).json()["data"]] == [made["id"]]
    assert platform.get(f"{config}/assets").json() == fresh.get(ASSETS).json()

    refusal(platform.delete(f"{config}/assets/{made['id']}"), 409, "duplicate")
    platform.delete(config)
    assert platform.delete(f"{config}/assets/{made['id']}").status_code == 204
    refusal(fresh.delete(f"{ASSETS}/{made['id']}"), 404, "not_found")
    assert fresh.get(ASSETS).json()["data"] == []
    lines = fresh.product.audit(fresh.slug, "config.updated", target_type="asset")
    assert [line.metadata["asset"] for line in lines] == ["removed", "added"]
    assert {line.actor_type for line in lines} == {"platform"}
    refusal(
        upload(platform, path="/tenants/nobody-here/config/branding/assets"),
        404,
        "tenant_not_found",
    )


@pytest.mark.spec("features J11", "security row 104")
def test_what_is_no_upload_is_refused_and_keeps_nothing(fresh):
    json = fresh.post(ASSETS, {"kind": "favicon"})
    refusal(json, 415, "media_type")
    refusal(upload(fresh, body=b"<html></html>"), 415, "media_type")
    refusal(upload(fresh, body=b"\x89PNG\r\n\x1a\n" + b"0" * (1024 * 1024)), 413, "too_large")
    assert upload(fresh, body=b"0" * (2 * 1024 * 1024)).status_code == 413
    said = refusal(upload(fresh, "banner"), 422, "validation_failed")
    assert said["errors"][0]["field"] == "kind"
    said = refusal(upload(fresh, body=picture((2001, 1))), 422, "validation_failed")
    assert said["errors"][0]["field"] == "file"
    broken = fresh.call(
        "POST", ASSETS, content=b"--x\r\nnothing", headers={"content-type": "multipart/form-data"}
    )
    refusal(broken, 422, "validation_failed")
    assert fresh.get(ASSETS).json()["data"] == []

    fresh.product.change(
        "insert into insula.assets (tenant_id, kind, media_type, digest, image, width, height,"
        " kept_until) select %s, 'favicon', 'image/png', sha256(i::text::bytea), 'x', 1, 1,"
        " '2999-01-01' from generate_series(1, 100) i",
        fresh.product.tenant_id(fresh.slug),
    )
    refusal(upload(fresh), 429, "quota_reached")


@pytest.mark.spec("features J11", "features CR-9")
def test_images_that_nothing_names_leave_and_the_others_stay(fresh, visit):
    named, kept, unnamed = (upload(fresh).json()["path"] for _ in range(3))
    fresh.patch(LOOK, {"logo_light": kept})
    fresh.patch(LOOK, {"logo_light": named})
    tenant = fresh.product.tenant_id(fresh.slug)
    fresh.product.change(
        "update insula.assets set kept_until = now() - interval '1 day' where tenant_id = %s",
        tenant,
    )

    async def sweep(here):
        (row,) = await here.platform.fetch("select insula.sweep_assets(100) as n")
        return row.n

    assert fresh.product.backstage.run(sweep) >= 3
    assert {each["path"] for each in fresh.get(ASSETS).json()["data"]} == {named, kept}
    assert visit(fresh.slug, unnamed).status_code == 404
    (row,) = fresh.product.rows(
        "select min(kept_until) > now() + interval '6 days' as later from insula.assets"
        " where tenant_id = %s", tenant,
    )  # fmt: skip
    assert row.later
