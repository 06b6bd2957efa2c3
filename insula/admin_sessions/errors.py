"""What can be refused at the administrators' door."""

from insula.kernel.errors import Denied


class NotAdmin(Denied):
    """The password was right, and the person has no role that opens this door."""

    code = "not_admin"
