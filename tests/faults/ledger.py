"""What was acknowledged to clients, written down before it is used, and compared afterwards."""

import threading
import time
from collections import Counter
from functools import partial
from uuid import UUID

import httpx2
import jwt
import psycopg
from psycopg.rows import namedtuple_row
from spine import Api

from insula.kernel.ids import Kind, digest


class Load:
    """Clients at work until told to stop: each refreshes its own family and asks for own tokens."""

    def __init__(self, product, slug, app, tokens, *, port=None):
        self._product, self._slug, self._app, self._port = product, slug, app, port
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._client, args=(token,), daemon=True) for token in tokens
        ]
        self.statuses = Counter()
        self.wrong = []  # answers that must not be
        self.issues = []  # acknowledged, by jti
        self.refresh_tokens = []  # acknowledged
        self.lost = []  # lineages that died
        self.answered = 0.0

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _client(self, refresh_token):
        api = Api(self._product, self._slug, self._app, port=self._port)
        while not self._stop.is_set():
            own = self._ask(api.own_token)
            if own is not None:
                self.issues.append(own["access_token"])
            answer = self._ask(partial(api.refresh, refresh_token))
            if answer is not None:
                refresh_token = answer["refresh_token"]
                self.refresh_tokens.append(refresh_token)
                self.issues.append(answer["access_token"])
            time.sleep(0.02)

    def _ask(self, act):
        """The answer if it is a success; whatever else may be is noted."""
        try:
            answer = act()
        except httpx2.TransportError as error:
            self.statuses[type(error).__name__] += 1
            return None
        self.statuses[answer.status_code] += 1
        if answer.status_code == 200:
            self.answered = time.monotonic()
            return answer.json()
        is_honest = (
            answer.status_code == 503
            and int(answer.headers["retry-after"]) > 0
            and answer.json()["error"] == "temporarily_unavailable"
        )
        if not is_honest:
            self.wrong.append((answer.status_code, answer.text))
        return None

    def missing(self):
        """What was acknowledged and is not in the database."""
        tenant_id = self._product.tenant_id(self._slug)
        jtis = [jwt.decode(t, options={"verify_signature": False})["jti"] for t in self.issues]
        wanted = {UUID(hex=jti.partition(".")[0]) for jti in jtis}
        found = self._product.rows(
            "select id from insula.token_issues where tenant_id = %s and id = any(%s)",
            tenant_id,
            list(wanted),
        )
        hashes = {digest(Kind.REFRESH_TOKEN, tenant_id, t) for t in self.refresh_tokens}
        kept = self._product.rows(
            "select token_hash from insula.refresh_generations"
            " where tenant_id = %s and token_hash = any(%s)",
            tenant_id,
            list(hashes),
        )
        return wanted - {row.id for row in found}, hashes - {bytes(row.token_hash) for row in kept}


def reconnect(house):
    """Look behind again, over a connection that the crash has not ended."""
    house.db.close()
    house.db = psycopg.connect(house.urls.superuser, autocommit=True, row_factory=namedtuple_row)
