"""What a tenant shows of itself on its sign-in pages."""

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from insula.assets.models import PATH, digest_of
from insula.kernel.addresses import https_page
from insula.kernel.settings import DecidedBy, Image, Section
from insula.ui.branding import failing_pairs, nearest_accent

_HEX = re.compile(r"#[0-9a-f]{6}\Z")


def _accent(colour: str) -> str:
    """Allow a colour with which everything can be read, in both themes; or none."""
    wanted = colour.strip().lower()
    if not wanted:
        return ""
    if not _HEX.match(wanted):
        raise ValueError("must be # and six hexadecimal digits, such as #0067b8")
    failing = failing_pairs(wanted)
    if failing:
        pair = min(failing, key=lambda each: each.ratio / each.required)
        near = nearest_accent(wanted)
        offer = f"; the nearest that passes is {near}" if near else ""
        raise ValueError(
            f"{pair.foreground} on {pair.background} in the {pair.theme} theme would have a "
            f"contrast of {pair.ratio:.1f} : 1 where {pair.required} is needed{offer}"
        )
    return wanted


def _image(path: str) -> str:
    """The address of an uploaded image, or none."""
    wanted = path.strip()
    if wanted and digest_of(wanted) is None:
        raise ValueError(f"must be the address of an uploaded image, {PATH}/ and its digest")
    return wanted


def _line(text: str) -> str:
    """One line of text, without characters that are not seen."""
    clean = " ".join(text.split())
    if not clean.isprintable():
        raise ValueError("must be text that can be seen")
    return clean


Line = Annotated[str, AfterValidator(_line)]
Picture = Annotated[str, Image(), AfterValidator(_image)]
Page = Annotated[str, AfterValidator(https_page)]


class Look(Section):
    """How the sign-in pages look."""

    key: ClassVar[str] = "branding"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    company_name: Line = Field(
        "", max_length=120, description="Shown above the form; empty: the application's title."
    )
    accent_color: Annotated[str, AfterValidator(_accent)] = Field(
        "", description="A colour that drives the theme; empty: one chosen by the tenant's slug."
    )
    logo_light: Picture = Field("", description="Above the form, in place of a letter.")
    logo_dark: Picture = Field("", description="The same on dark pages; empty: the light one.")
    logo_icon_light: Picture = Field(
        "", description="A square mark, where there is room for no more; empty: the logo."
    )
    logo_icon_dark: Picture = Field("", description="The same on dark pages; empty: the light one.")
    icon_url: Picture = Field("", description="On the home screen of a telephone; empty: none.")
    favicon: Picture = Field("", description="In the browser's tab; empty: the product's.")


class Application(Section):
    """What the sign-in service is called."""

    key: ClassVar[str] = "application"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    title: Line = Field("", max_length=80, description="Its name; empty: the tenant's name.")
    description: Line = Field(
        "", max_length=300, description="A sentence under the form of the sign-in page."
    )


class Links(Section):
    """Pages of the company, at the foot of its sign-in pages."""

    key: ClassVar[str] = "integrations.urls"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    website: Page = Field("", description="The company.")
    privacy_policy: Page = Field("", description="How it treats personal data.")
    terms_of_service: Page = Field("", description="Its terms.")
    support: Page = Field("", description="Where people get help.")
