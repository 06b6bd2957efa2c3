"""Lines of the record are sentences."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

import insula
from insula.audit.models import Line
from insula.platform_admin.sentences import entries

_EVENT = re.compile(
    r"(user|admin|session|oauth|step_up|client|domain|config|key|tenant|data|api|isolation|scope"
    r"|claim|resource_server|registration_token|maintenance)\.[a-z_]+"
)
#: What is named so and is no event of the record: lines of the log, tasks, files.
_OTHERS = {
    "api.bug", "api.md", "api.refused", "data.unfinished", "isolation.html",
    "isolation.not_planted", "isolation.probe", "tenant.conflict_unrecorded", "tenant.fallback",
    "tenant.made", "tenant.unavailable", "tenant.unresolved",
}  # fmt: skip


def written(source):
    """The strings of a module that are named as events are."""
    tree = ast.parse(source.read_text())
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    lines = {
        event
        for text in texts
        if isinstance(text, str)
        for event in re.findall(r"select '([a-z_.]+)', '", text)
    }
    return lines | {text for text in texts if isinstance(text, str) and _EVENT.fullmatch(text)}


def said(event, **facts):
    usual = {"status": "success", "actor_type": "platform", "actor_id": "rev5", "metadata": {},
             "target_type": None, "target_id": None}  # fmt: skip
    line = Line(
        id=uuid4(), at=datetime.now(UTC), event=event, on_behalf_of=None, ip=None, user_agent=None,
        request_id=None, **{**usual, **facts},
    )  # fmt: skip
    (entry,) = entries([line], {})
    return " ".join(filter(None, (entry.actor, entry.verb, entry.target)))


@pytest.mark.spec("features W05")
def test_every_event_that_is_written_has_its_words():
    modules = Path(insula.__file__).parent.rglob("*.py")
    events = set().union(*map(written, modules)) - _OTHERS

    assert {"config.bound_changed", "oauth.token_issued", "api.request_denied"} <= events
    raw = {event for event in events if event.replace(".", " ").replace("_", " ") in said(event)}
    assert not raw


@pytest.mark.spec("features W05")
@pytest.mark.parametrize(
    ("event", "facts", "sentence"),
    [
        ("config.bound_changed", {"target_type": "platform_config", "target_id": "oidc.ttl"},
         "Application rev5 changed the bounds of oidc.ttl"),
        ("config.updated", {"target_type": "config", "target_id": "oidc.ttl"},
         "Application rev5 changed settings oidc.ttl"),
        ("oauth.token_issued", {"actor_type": "client", "target_type": "token_issue",
                                "target_id": str(uuid4())}, "Application rev5 got a token"),
        ("oauth.token_issued", {"actor_type": "client", "status": "failed"},
         "Application rev5 was refused a token"),
        ("api.request_denied", {"actor_type": "client", "metadata": {"why": "forbidden"}},
         "Application rev5 was refused at the API: forbidden"),
        ("user.created", {"actor_type": "system", "actor_id": None, "target_type": "user",
                          "target_id": "7"}, "System created user 7"),
        ("made.up_event", {}, "Application rev5 made up event"),
    ],
)  # fmt: skip
def test_a_line_says_who_did_what_to_whom(event, facts, sentence):
    assert said(event, **facts) == sentence
