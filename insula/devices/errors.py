"""What can be refused at the device page."""

from insula.kernel.errors import Denied, NotFound


class NoSuchCode(NotFound):
    """No device waits under this code: it is wrong, used or expired."""


class TooManyCodes(Denied):
    """*retry_after* in seconds."""

    code = "rate_limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too many wrong codes.")
        self.retry_after = retry_after
