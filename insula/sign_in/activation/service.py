"""Choosing a password by a link; the session begins with it, as after any new password."""

from insula.accounts import service as accounts
from insula.accounts.activation import service as links
from insula.accounts.hashing import Passwords
from insula.sign_in import service
from insula.sign_in.interactions import service as interactions
from insula.sign_in.models import Prompt
from insula.sign_in.service import Here
from insula.tenancy.db import Tenant


async def activate(
    tenant: Tenant, here: Here, passwords: Passwords, token: str, password: str
) -> tuple[str, ...]:
    """
    Set the password that the bearer of a link has chosen; the tokens of the browser from now on.

    They hold the link and know the password, so asking for it again would prove nothing more:
    a session begins by the same steps as after a password that had to be replaced, in the same
    transaction in which the link is used up. Raises `LinkGone`, `WeakPassword`,
    `InteractionGone`, `Unavailable`.
    """
    user = await links.find(tenant, token)
    policies = service.policies_of(tenant)
    hashed = await accounts.prepare_password(
        tenant, passwords, policies.password, password, username=user.username, email=user.email
    )
    prompt = Prompt(need="login", return_to="/")
    interaction = await interactions.begin(
        tenant, here.browser, "sign_in", prompt, policies.interaction
    )
    async with tenant.transaction() as db:
        user = await links.use(db, tenant.id, token, hashed, here.actor)
        return await service.begin_session(db, tenant, here, interaction, user, hashed, policies)
