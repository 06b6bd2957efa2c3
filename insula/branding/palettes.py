"""The colours of a tenant's pages, one by one, in two themes (features.md J01, J08)."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, Field

from insula.kernel.settings import Colour, Part
from insula.ui.colour import is_hex
from insula.ui.palettes import NAMES
from insula.ui.stylesheets import Palette
from insula.ui.tokens import THEMES, Theme

#: What the page calls that part of the section which is colours.
COLOURS: Final = "colours"


def hexadecimal(colour: str) -> str:
    """Allow a colour as a stylesheet has it, or none."""
    wanted = colour.strip().lower()
    if wanted and not is_hex(wanted):
        raise ValueError("must be # and six hexadecimal digits, such as #0067b8")
    return wanted


_Chosen = Annotated[str, Colour(derived=True), AfterValidator(hexadecimal)]
_LightBrand = Annotated[_Chosen, Part(COLOURS, "Light palette", "Brand")]
_LightSurfaces = Annotated[_Chosen, Part(COLOURS, "Light palette", "Surfaces")]
_LightText = Annotated[_Chosen, Part(COLOURS, "Light palette", "Text")]
_LightInputs = Annotated[_Chosen, Part(COLOURS, "Light palette", "Inputs")]
_LightStates = Annotated[_Chosen, Part(COLOURS, "Light palette", "States")]
_DarkBrand = Annotated[_Chosen, Part(COLOURS, "Dark palette", "Brand")]
_DarkSurfaces = Annotated[_Chosen, Part(COLOURS, "Dark palette", "Surfaces")]
_DarkText = Annotated[_Chosen, Part(COLOURS, "Dark palette", "Text")]
_DarkInputs = Annotated[_Chosen, Part(COLOURS, "Dark palette", "Inputs")]
_DarkStates = Annotated[_Chosen, Part(COLOURS, "Dark palette", "States")]


def field_of(theme: Theme, name: str) -> str:
    """The field of a colour."""
    return f"palette_{theme}_{name}"


_FIELDS: Final = {theme: tuple((name, field_of(theme, name)) for name in NAMES) for theme in THEMES}


class Palettes(BaseModel):
    """
    Colours over those that are derived from the accent; empty: derived.

    Each is a field of its own, by the name of its palette and its own: what is reset, bounded,
    marked with who set it, explained, compared and put back is always a field. As one value a
    palette would be inherited, owned by files and taken back only whole. They are of the section
    that has the accent, since a colour is judged together with what is derived from that.
    """

    palette_light_primary: _LightBrand = Field("", description="The main button and the tile.")
    palette_light_primary_hover: _LightBrand = Field(
        "", description="The main button under the pointer."
    )
    palette_light_primary_active: _LightBrand = Field(
        "", description="The main button while it is pressed."
    )
    palette_light_on_primary: _LightBrand = Field(
        "", description="Words on the main button and the tile."
    )
    palette_light_secondary: _LightBrand = Field("", description="Other buttons.")
    palette_light_secondary_hover: _LightBrand = Field(
        "", description="Other buttons under the pointer."
    )
    palette_light_secondary_active: _LightBrand = Field(
        "", description="Other buttons while they are pressed."
    )
    palette_light_on_secondary: _LightBrand = Field("", description="Words on other buttons.")
    palette_light_accent: _LightBrand = Field(
        "", description="Switches that are on, and text that is selected."
    )
    palette_light_accent_hover: _LightBrand = Field("", description="Switches under the pointer.")
    palette_light_on_accent: _LightBrand = Field("", description="The knob of a switch that is on.")
    palette_light_background: _LightSurfaces = Field("", description="The page behind the card.")
    palette_light_surface: _LightSurfaces = Field("", description="The card.")
    palette_light_surface_raised: _LightSurfaces = Field("", description="Boxes on the card.")
    palette_light_muted: _LightSurfaces = Field(
        "", description="Rows under the pointer, and marks without a colour."
    )
    palette_light_border: _LightSurfaces = Field("", description="Hairlines.")
    palette_light_border_strong: _LightSurfaces = Field(
        "", description="Edges of buttons and stronger lines."
    )
    palette_light_on_background: _LightText = Field(
        "", description="Words on the page, below the card."
    )
    palette_light_on_surface: _LightText = Field("", description="Words on the card.")
    palette_light_on_muted: _LightText = Field("", description="Quieter words on the card.")
    palette_light_link: _LightText = Field("", description="Links and icons of permissions.")
    palette_light_link_hover: _LightText = Field("", description="Links under the pointer.")
    palette_light_input_background: _LightInputs = Field("", description="Fields to type in.")
    palette_light_input_border: _LightInputs = Field(
        "", description="Edges of fields, and switches that are off."
    )
    palette_light_focus_ring: _LightInputs = Field(
        "", description="The ring around what has the focus."
    )
    palette_light_warning: _LightStates = Field("", description="Warnings.")
    palette_light_on_warning: _LightStates = Field("", description="Words of warnings.")
    palette_light_danger: _LightStates = Field(
        "", description="Refusals: messages, words under a field, its edge."
    )
    palette_light_on_danger: _LightStates = Field("", description="Words of messages that refuse.")
    palette_light_info: _LightStates = Field("", description="Badges of what is new.")
    palette_light_on_info: _LightStates = Field("", description="Words of badges.")
    palette_dark_primary: _DarkBrand = Field("", description="The main button and the tile.")
    palette_dark_primary_hover: _DarkBrand = Field(
        "", description="The main button under the pointer."
    )
    palette_dark_primary_active: _DarkBrand = Field(
        "", description="The main button while it is pressed."
    )
    palette_dark_on_primary: _DarkBrand = Field(
        "", description="Words on the main button and the tile."
    )
    palette_dark_secondary: _DarkBrand = Field("", description="Other buttons.")
    palette_dark_secondary_hover: _DarkBrand = Field(
        "", description="Other buttons under the pointer."
    )
    palette_dark_secondary_active: _DarkBrand = Field(
        "", description="Other buttons while they are pressed."
    )
    palette_dark_on_secondary: _DarkBrand = Field("", description="Words on other buttons.")
    palette_dark_accent: _DarkBrand = Field(
        "", description="Switches that are on, and text that is selected."
    )
    palette_dark_accent_hover: _DarkBrand = Field("", description="Switches under the pointer.")
    palette_dark_on_accent: _DarkBrand = Field("", description="The knob of a switch that is on.")
    palette_dark_background: _DarkSurfaces = Field("", description="The page behind the card.")
    palette_dark_surface: _DarkSurfaces = Field("", description="The card.")
    palette_dark_surface_raised: _DarkSurfaces = Field("", description="Boxes on the card.")
    palette_dark_muted: _DarkSurfaces = Field(
        "", description="Rows under the pointer, and marks without a colour."
    )
    palette_dark_border: _DarkSurfaces = Field("", description="Hairlines.")
    palette_dark_border_strong: _DarkSurfaces = Field(
        "", description="Edges of buttons and stronger lines."
    )
    palette_dark_on_background: _DarkText = Field(
        "", description="Words on the page, below the card."
    )
    palette_dark_on_surface: _DarkText = Field("", description="Words on the card.")
    palette_dark_on_muted: _DarkText = Field("", description="Quieter words on the card.")
    palette_dark_link: _DarkText = Field("", description="Links and icons of permissions.")
    palette_dark_link_hover: _DarkText = Field("", description="Links under the pointer.")
    palette_dark_input_background: _DarkInputs = Field("", description="Fields to type in.")
    palette_dark_input_border: _DarkInputs = Field(
        "", description="Edges of fields, and switches that are off."
    )
    palette_dark_focus_ring: _DarkInputs = Field(
        "", description="The ring around what has the focus."
    )
    palette_dark_warning: _DarkStates = Field("", description="Warnings.")
    palette_dark_on_warning: _DarkStates = Field("", description="Words of warnings.")
    palette_dark_danger: _DarkStates = Field(
        "", description="Refusals: messages, words under a field, its edge."
    )
    palette_dark_on_danger: _DarkStates = Field("", description="Words of messages that refuse.")
    palette_dark_info: _DarkStates = Field("", description="Badges of what is new.")
    palette_dark_on_info: _DarkStates = Field("", description="Words of badges.")

    def palette(self, theme: Theme) -> Palette:
        """What is chosen in one theme."""
        values = vars(self)
        return tuple((name, values[field]) for name, field in _FIELDS[theme] if values[field])


def colour_fields() -> Iterator[tuple[Theme, str, str]]:
    """Theme, name and field of every colour."""
    for theme in THEMES:
        yield from ((theme, name, field) for name, field in _FIELDS[theme])
