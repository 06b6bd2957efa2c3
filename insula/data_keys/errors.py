"""What stands in the way of a data key."""

from insula.kernel.errors import Invalid

#: What an operator does about keys that do not open.
REMEDY = (
    "INSULA_SECRETS_KEY is not the one they were sealed with; add that one to "
    "INSULA_SECRETS_KEY_PREVIOUS."
)


class SealedByAnother(Invalid):
    """The master keys at hand do not open what the installation has sealed."""

    code = "keys_do_not_open"
