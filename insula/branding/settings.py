"""What a tenant shows of itself on its sign-in pages."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, Field

from insula.assets.models import PATH, digest_of
from insula.branding.palettes import COLOURS, Palettes, field_of, hexadecimal
from insula.kernel.addresses import https_page
from insula.kernel.settings import Colour, DecidedBy, Image, Part, Section
from insula.ui.accents import DEFAULT_ACCENTS, failing_pairs, nearest_accent
from insula.ui.fonts import Fonts, MonoFont, TextFont
from insula.ui.palettes import clashes
from insula.ui.tokens import THEMES


def _accent(colour: str) -> str:
    """Allow a colour with which everything can be read, in both themes; or none."""
    wanted = hexadecimal(colour)
    failing = failing_pairs(wanted) if wanted else []
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
Accent = Annotated[str, Colour(), Part(COLOURS), AfterValidator(_accent)]


class _Marks(BaseModel):
    """A name, an accent and images."""

    company_name: Line = Field(
        "", max_length=120, description="Shown above the form; empty: the application's title."
    )
    accent_color: Accent = Field(
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


class _Typefaces(BaseModel):
    """Bundled fonts; `system` is what the device has, and loads nothing."""

    font_heading: Annotated[TextFont, Part("fonts")] = Field("Inter", description="Headings.")
    font_body: Annotated[TextFont, Part("fonts")] = Field("Inter", description="All other text.")
    font_mono: Annotated[MonoFont, Part("fonts")] = Field(
        "JetBrains Mono", description="Codes and ids."
    )


class Look(Palettes, _Typefaces, _Marks, Section):
    """How the sign-in pages look."""

    key: ClassVar[str] = "branding"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    @property
    def fonts(self) -> Fonts:
        return Fonts(self.font_heading, self.font_body, self.font_mono)

    def clashes(self) -> Iterator[tuple[str, str]]:
        """Each chosen colour that could not be read or seen with the others, told once."""
        # without an accent of its own a tenant has one by its slug, so it may be any of ours
        accents = (self.accent_color,) if self.accent_color else DEFAULT_ACCENTS
        told = set()
        for theme in THEMES:
            chosen = dict(self.palette(theme))
            for clash in (each for accent in accents for each in clashes(accent, theme, chosen)):
                field = field_of(theme, clash.name)
                if field not in told:
                    told.add(field)
                    yield field, clash.text


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
