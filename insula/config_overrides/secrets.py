"""The one way to a secret among settings: for the feature that needs it, when it needs it."""

from insula.config_overrides import store
from insula.config_overrides.errors import SecretsKeyMissing
from insula.config_overrides.resolution import explain, resolve
from insula.config_overrides.sealing import cipher_of, opened
from insula.config_overrides.service import read
from insula.kernel.crypto import DoesNotOpen, Envelope
from insula.kernel.errors import Unavailable
from insula.kernel.settings import Section
from insula.tenancy.db import Tenant
from insula.tenancy.directory import Directory
from insula.tenancy.models import PLATFORMS


class Secrets:
    """Opens secrets for one process; whoever is not given it cannot."""

    def __init__(self, envelope: Envelope, directory: Directory) -> None:
        self._envelope = envelope
        self._directory = directory

    async def of(self, tenant: Tenant, section: type[Section], field: str) -> str:
        """
        A secret as it holds for the tenant; empty for none. Never kept, logged or shown.

        That a tenant's own was used is noted once an hour. Raises `SecretsKeyMissing` where it
        does not open, `ValueError` for a field that holds no secret.
        """
        if field not in section.secrets():
            raise ValueError(f"{section.key}.{field} holds no secret")
        layers = read(tenant.settings, tenant.platform_settings)
        sealed = str(getattr(resolve(section, layers), field))
        if not sealed:
            return ""
        is_own = next(e.own is not None for e in explain(section, layers) if e.name == field)
        owner = tenant if is_own else await self._directory.find(f"slug:{PLATFORMS}")
        if owner is None:
            raise Unavailable("the platform is not set up", detail="no tenant _platforms")
        async with owner.transaction() as db:
            cipher = await cipher_of(db, self._envelope)
            try:
                plain = opened(cipher, section, field, sealed)
            except (DoesNotOpen, UnicodeDecodeError) as error:
                raise SecretsKeyMissing(
                    "A stored secret does not open; enter it anew.",
                    detail=f"{section.key}.{field} of {owner.slug}",
                ) from error
            if is_own:
                await store.note_use(db, section.key, field)
        return plain
