"""Every section of settings that there is: the catalogue of `/platform`, the API and the CLI."""

from collections.abc import Mapping
from typing import Final

from insula.accounts.settings import Hashing, PasswordPolicy
from insula.admin_sessions.settings import AdminSessionLife, Sudo
from insula.audit.settings import LogRetention
from insula.branding.settings import Application, Links, Look
from insula.config_overrides.catalogue import Catalogue
from insula.config_overrides.impacts import Counting
from insula.deletion.settings import Deployment
from insula.kernel.settings import Section
from insula.keys.settings import KeyRotation
from insula.providers.impacts import of_api, of_features, of_scopes
from insula.providers.settings import ProtocolFeatures, RefreshRules, TokenLifetimes
from insula.registration.settings import RegistrationLimits
from insula.resource_servers.settings import DeveloperApi, OfferedScopes
from insula.sign_in.settings import BruteForce, ConsentLife, InteractionLife, SessionPolicy
from insula.tenants.domains.settings import DomainRules

#: In the order of their keys; a test compares with the classes that exist.
SECTIONS: Final[tuple[type[Section], ...]] = (
    Application,
    Look,
    Deployment,
    DomainRules,
    DeveloperApi,
    Links,
    KeyRotation,
    LogRetention,
    ConsentLife,
    ProtocolFeatures,
    RefreshRules,
    RegistrationLimits,
    OfferedScopes,
    TokenLifetimes,
    AdminSessionLife,
    BruteForce,
    Hashing,
    InteractionLife,
    PasswordPolicy,
    SessionPolicy,
    Sudo,
)
#: Who counts, for which section, whom a change would shut out.
COUNTING: Final[Mapping[type[Section], Counting]] = {
    ProtocolFeatures: of_features,
    OfferedScopes: of_scopes,
    DeveloperApi: of_api,
}
CATALOGUE: Final = Catalogue(SECTIONS, COUNTING)
