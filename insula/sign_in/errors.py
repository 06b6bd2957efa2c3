"""What can be refused at sign-in."""

from insula.kernel.errors import Denied, NotFound, Unavailable


class InteractionGone(NotFound):
    """Expired, finished, or of another browser: the same page for all."""

    code = "session_expired"

    def __init__(
        self, description: str = "It took too long, is finished, or began in another browser."
    ) -> None:
        super().__init__(description)


class CsrfFailed(Denied):
    code = "csrf_failed"


class TooManyAttempts(Unavailable):
    """*retry_after* says when the next try counts, *counter* what was counted too often."""

    code = "rate_limited"

    def __init__(self, retry_after: int, counter: tuple[str, bytes]) -> None:
        super().__init__("Too many attempts.", retry_after=retry_after)
        self.counter = counter
