"""The `Pages` port: the engine's few pages in the tenant's look."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from insula.oidc.models import Client
from insula.ui.branding import Branding
from insula.ui.pages import FORM_POST_SCRIPT_HASH, framing_policy, render


class TenantPages:
    """Renders with one tenant's branding."""

    def __init__(self, branding: Branding) -> None:
        self._branding = branding

    def error(  # noqa: PLR0913  (what a page says)
        self,
        *,
        status: int,  # noqa: ARG002  (the answer's)
        code: str,
        title: str,
        text: str,
        request_id: str,
        back: str | None = None,
    ) -> bytes:
        target = urlsplit(back or "")
        host = target.netloc or target.scheme
        return render(
            "ui/error.html",
            branding=self._branding,
            code=code,
            title=title,
            text=text,
            request_id=request_id,
            at=datetime.now(UTC),
            action_label=f"Back to {host}",
            action_url=back,
            cancel_host=host,
        ).encode()

    def form_post(self, action: str, fields: Mapping[str, str]) -> tuple[bytes, str]:
        target = urlsplit(action)
        policy = (
            f"default-src 'none'; script-src '{FORM_POST_SCRIPT_HASH}'; style-src 'self'; "
            f"font-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action {target.scheme}://{target.netloc}"
        )
        html = render("ui/form_post.html", action=action, fields=list(fields.items()))
        return html.encode(), policy

    def signed_out(
        self, client: Client | None, frames: Sequence[str], return_to: str | None
    ) -> tuple[bytes, str | None]:
        html = render(
            "sign_in/signed_out.html",
            branding=self._branding,
            app=client.name if client else None,
            frames=frames,
            return_to=return_to,
        )
        return html.encode(), framing_policy(frames) if frames else None
