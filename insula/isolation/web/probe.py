"""
The door that everybody comes by: one canary's things, brought to the other's host over HTTP.

They run through the serving application: edge, resolution, pool, engine, guard of the API. The
application is another one than serves: it knows the canaries and nobody else, and no socket leads
to it, so that it can be asked here and nowhere else (`platform.probed`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from insula.isolation.canaries import host_of
from insula.isolation.models import Cell
from insula.isolation.web import material, questions
from insula.isolation.web.asking import Answer, App, Request, ask
from insula.isolation.web.material import Material, Twins
from insula.isolation.web.questions import QUESTIONS, Home, Question
from insula.isolation.web.store import let_go
from insula.kernel import logs
from insula.kernel.crypto import Envelope
from insula.kernel.db import uncounted
from insula.tenancy.db import Tenant

#: Gives the application that is asked, which then knows nothing of the run before.
Front = Callable[[], App]

_DOOR: Final = "http"


@dataclass(slots=True)
class Asked:
    """What came of asking: which questions, how often, what was let in, and what proves nothing."""

    names: list[str] = field(default_factory=list)
    cells: int = 0
    failures: list[Cell] = field(default_factory=list)
    unproved: set[str] = field(default_factory=set)

    def note(self, question: Question, *, let_in: bool, proves: bool) -> None:
        cell = Cell(_DOOR, "other", question.name)
        self.cells += 1
        if let_in and cell not in self.failures:
            self.failures.append(cell)
        if not proves:
            self.unproved.add(f"{question.name} by {_DOOR}")


async def probe(front: Front, pair: tuple[Tenant, Tenant], envelope: Envelope) -> Asked:
    """Bring what each canary was issued to the other's host. Raises `Unavailable`."""
    with logs.quiet(), uncounted():
        return await _Run(front(), Asked()).of(pair, envelope)


@dataclass(frozen=True, slots=True)
class _Run:
    app: App
    asked: Asked

    async def of(self, pair: tuple[Tenant, Tenant], envelope: Envelope) -> Asked:
        one, two = pair
        twins = Twins()
        issued = [
            await material.issue(canary, other, host_of(canary), envelope, twins)
            for canary, other in ((one, two), (two, one))
        ]
        first, second = [await self._home(own) for own in issued]
        taken = [q for q in QUESTIONS if q.is_taken(first) and q.is_taken(second)]
        self.asked.names += [question.name for question in taken]
        # all of these before the proofs, which use up what they prove
        answers = [
            (question, home, of, await self._ask(home, question.ask(home, of)))
            for home, of in ((first, second.own), (second, first.own))
            for question in taken
        ]
        for question, home, of, answer in answers:
            proves = await self._proves(question, first if home is second else second)
            self.asked.note(
                question,
                let_in=question.lets_in(home, of, answer),
                proves=proves and not questions.tells_nothing(answer),
            )
        for canary in pair:
            await let_go(canary)
        return self.asked

    async def _home(self, own: Material) -> Home:
        return Home(
            own,
            metadata=await ask(self.app, own.host, questions.metadata()),
            unknown_code=await ask(self.app, own.host, questions.made_up_code(own)),
            nobody=await ask(self.app, own.host, questions.authorization(own)),
        )

    async def _ask(self, home: Home, request: Request) -> Answer:
        return await ask(self.app, home.own.host, request)

    async def _proves(self, question: Question, home: Home) -> bool:
        """Whether the material of *home* is good there, so that it means something elsewhere."""
        request = (question.proof or question.ask)(home, home.own)
        answer = await self._ask(home, request)
        return (question.is_proof or question.lets_in)(home, home.own, answer)
