"""What can be refused about settings."""

from insula.kernel.errors import Invalid


class InvalidSetting(Invalid):
    """*field* says which, as `section.field`."""


class NotOverridable(Invalid):
    """No such field, or one that is not a tenant's to decide."""

    code = "field_not_overridable"
