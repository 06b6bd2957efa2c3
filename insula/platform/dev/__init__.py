"""`insula dev`: everything on one machine, from nothing, and the same again at the next start."""

from insula.platform.dev.run import run

__all__ = ["run"]
