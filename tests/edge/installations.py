"""A running installation as its operator has it: the server, its command line, a look behind."""

import json
from dataclasses import dataclass

import psycopg
from people import App
from serving import Server, cli

PROXY_SECRET = "k8Jw2mVq5tZ1xR7bN4cH9sL6pD3fG0aY"
FIRST_PASSWORD = "a bridge of eleven planks"
FIRST_EMAIL = "first@house.example"


@dataclass
class Installation:
    """A server, its command line, and a look behind."""

    server: Server
    db: psycopg.Connection

    def run(self, *words, status=0, stdin=""):
        done = cli(self.server.environment, *words, "--json", stdin=stdin)
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout)

    def rows(self, sql, *values):
        return self.db.execute(sql, values).fetchall()

    def app(self, slug, name, *more):
        made = self.run("client", "add", name, "--tenant", slug, *more)
        return App(None, made["client_id"], made["client_secret"])

    @property
    def log(self):
        return self.server.log.read_text()


class BehindProxy(Server):
    """Its hosts are under auth.example."""

    def host(self, slug):
        return f"{slug}.auth.example"
