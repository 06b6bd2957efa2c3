"""What can be refused about templates."""

from insula.kernel.errors import Conflict, Invalid, NotFound


class InvalidTemplate(Invalid):
    """*field* says which."""


class UnknownTemplate(Invalid):
    """A tenant was to be founded from one that there is not."""

    def __init__(self) -> None:
        super().__init__("There is no such template", field="template")


class NoSuchTemplate(NotFound):
    """None of that name, or no such version of it."""


class NameTaken(Conflict):
    code = "name_taken"
