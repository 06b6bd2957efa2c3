"""Nothing that opens a door is ever in a log."""

import logging

import pytest
import structlog

from insula.kernel import logs
from insula.kernel.ids import PREFIXES, new_secret

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


@pytest.mark.spec("security row 101", "security row 117")
@pytest.mark.parametrize(
    "secret", [new_secret(kind) for kind, prefix in PREFIXES.items() if prefix] + [JWT],
    ids=lambda secret: secret[:7],
)  # fmt: skip
def test_what_looks_like_a_secret_is_taken_out_wherever_it_stands(secret):
    for text in (secret, f"code={secret}&state=x", f'{{"a": "{secret}"}}', f"Bearer {secret}"):
        assert secret not in logs.redact(text)
        assert "[redacted]" in logs.redact(text)


def test_the_password_of_a_url_is_taken_out_and_the_rest_stays():
    text = logs.redact("cannot reach postgresql://insula_app:pa55@db.example:5432/insula")
    assert "pa55" not in text
    assert "db.example:5432/insula" in text


def test_ordinary_words_stay():
    text = "tenant acme signed in with ins_client, eyJ is no token"
    assert logs.redact(text) == text


def test_a_line_shows_no_secret_however_deep_it_lies(log):
    structlog.get_logger().info(
        "request.refused",
        password="hunter2",  # noqa: S106  (what must not be seen)
        client_secret=b"hunter2",
        body={"code_verifier": "hunter2", "list": [{"Authorization": "hunter2"}], "n": 1},
        note=("Bearer " + JWT,),
        raw=f"x={JWT}".encode(),
        path="/oauth2/token",
        token_count=3,
    )
    (line,) = log()
    assert "hunter2" not in str(line)
    assert "eyJ" not in str(line)
    assert (line["path"], line["body"]["n"], line["token_count"]) == ("/oauth2/token", 1, 3)
    assert line["level"] == "info"


def test_the_lines_of_other_libraries_are_redacted_too(log):
    logging.getLogger("somebody").warning("failed with %s", JWT)
    try:
        int(JWT)
    except ValueError:
        structlog.get_logger().exception("broken")
    lines = log()
    assert len(lines) == 2
    assert "eyJ" not in str(lines)
    assert "ValueError" in lines[1]["exception"]


@pytest.mark.usefixtures("log")
def test_a_line_that_cannot_be_formatted_harms_nobody(capsys):
    (ours,) = (h for h in logging.getLogger().handlers if type(h).__module__ == logs.__name__)
    ours.handle(logging.LogRecord("somebody", logging.WARNING, "", 1, "%d things", ("some",), None))
    assert "Logging error" in capsys.readouterr().err


def test_a_line_break_in_a_value_is_inert(log):
    structlog.get_logger().info("x", who='ada\n{"event": "forged"}')
    (line,) = log()
    assert line["event"] == "x"
