"""How passwords are chosen, hashed and guarded."""

from typing import Annotated, ClassVar

from pydantic import Field

from insula.kernel.settings import DecidedBy, Kind, Section


class PasswordPolicy(Section):
    """How passwords are chosen and checked."""

    key: ClassVar[str] = "security.password"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    min_length: Annotated[int, Kind.FLOOR_MIN] = Field(
        15, ge=15, le=64, description="Shortest password accepted."
    )


class Hashing(Section):
    """The cost of argon2id; a hash of another cost is renewed at the next sign-in."""

    key: ClassVar[str] = "security.hashing"
    decided_by: ClassVar[DecidedBy] = DecidedBy.PLATFORM
    settable: ClassVar[bool] = False  # a process makes its workers with it once

    memory_kib: int = Field(19 * 1024, ge=19 * 1024, description="Memory of one hash.")
    passes: int = Field(2, ge=2, description="Passes over it.")
    lanes: int = Field(1, ge=1, le=4, description="Lanes.")
    threads: int = Field(2, ge=1, le=64, description="Hashes at once in one process.")
    queue: int = Field(200, ge=1, description="Hashes that may wait in one process.")
    queue_per_tenant: int = Field(100, ge=1, description="Hashes of one tenant that may wait.")
