"""What can be refused about the registry."""

from insula.kernel.errors import Invalid


class CursorInvalid(Invalid):
    """The place in a list that a link named cannot be read."""

    code = "cursor_invalid"

    def __init__(self) -> None:
        super().__init__("The link leads to no page of this list. Go to its first page.")
