"""Pages without a look."""

from collections.abc import Mapping, Sequence
from html import escape

from insula.oidc.models import Client


class PlainPages:
    """Pages without a look."""

    def error(  # noqa: PLR0913  (the port's)
        self,
        *,
        status: int,
        code: str,
        title: str,
        text: str,
        request_id: str,
        back: str | None = None,
    ) -> bytes:
        said = (str(status), code, title, text, request_id)
        html = "<!doctype html><p>{}<p>{}<p>{}<p>{}<p>{}".format(*map(escape, said))
        return (html + (f'<a href="{escape(back)}">back</a>' if back else "")).encode()

    def form_post(self, action: str, fields: Mapping[str, str]) -> tuple[bytes, str]:
        inputs = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in fields.items()
        )
        html = f'<form method="post" action="{escape(action)}">{inputs}<button>Go</button></form>'
        return html.encode(), "default-src 'none'; frame-ancestors 'none'"

    def signed_out(
        self, client: Client | None, frames: Sequence[str], return_to: str | None
    ) -> tuple[bytes, str | None]:
        said = f"<p>Signed out of {escape(client.name) if client else 'everything'}"
        said += "".join(f'<iframe src="{escape(frame)}"></iframe>' for frame in frames)
        said += f'<a href="{escape(return_to)}">on</a>' if return_to else ""
        return said.encode(), None
