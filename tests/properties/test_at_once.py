"""Two people at the same moment: the laws hold whoever comes first, on both databases."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm.exc import StaleDataError

from api.errors import Problem
from api.runtime import Runtime
from api.services import answers, broadcasts, choices, closing, companies, needs, offers
from api.services.desk import IMPORT, WORKER, Actor, Desk
from api.services.needs import NeedDraft
from models import Broadcast, Lead, Need
from models.answer import AnswerKind
from models.states import IllegalTransition, NeedState
from tests.conftest import World, lay_world
from tests.properties.laws import all_laws
from tests.properties.network import TEXTS

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
Deed = Callable[[Desk], object]


@pytest.fixture
def stage(databases: Callable[[], AbstractContextManager[Runtime]]) -> "Stage":  # type: ignore[misc]
    with databases() as runtime:
        yield Stage(runtime)


class Stage:
    """A network, and people who do things at the same moment in it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.world: World = self.do(IMPORT, lay_world)

    def do(self, actor: Actor, deed: Callable[[Desk], object], at: datetime = AT) -> object:
        with self.runtime.sessions.begin() as session:
            return deed(Desk(session, self.runtime, actor, at))

    def need(self) -> str:
        draft = NeedDraft(
            text=TEXTS[0],
            place="2800 Mechelen",
            firm_name="Crèche De Zandkorrel",
            contact_name="Finn",
            contact_email=self.world.finn.email,
        )
        return self.do(self.world.finn, lambda desk: needs.submit(desk, draft, proven=True).id)

    def at_once(self, *deeds: tuple[Actor, Deed], at: datetime = AT) -> list[BaseException | None]:
        """Do all at the same moment; per deed, what refused it or None."""
        ready = threading.Barrier(len(deeds))
        outcomes: list[BaseException | None] = [None] * len(deeds)

        def act(position: int, actor: Actor, deed: Deed) -> None:
            ready.wait(20)
            try:
                self.do(actor, deed, at)
            except (Problem, IllegalTransition, StaleDataError) as refusal:
                outcomes[position] = refusal
            except BaseException as fault:
                outcomes[position] = AssertionError(f"a fault, no refusal: {fault!r}")

        threads = [
            threading.Thread(target=act, args=(position, *deed))
            for position, deed in enumerate(deeds)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        faults = [each for each in outcomes if isinstance(each, AssertionError)]
        assert not faults, faults
        self.laws(at)
        return outcomes

    def laws(self, at: datetime = AT) -> None:
        with self.runtime.sessions() as session:
            all_laws(session, Desk(session, self.runtime, IMPORT, at))

    def count(self, model: type, *where: object) -> int:
        with self.runtime.sessions() as session:
            return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def test_two_coordinators_approve_the_same_need(stage: Stage) -> None:
    need = stage.need()

    def approve(desk: Desk) -> None:
        broadcasts.approve(desk, need)

    outcomes = stage.at_once(*[(stage.world.cato, approve)] * 4)
    assert sum(each is None for each in outcomes) == 1
    assert stage.count(Broadcast) == 1
    assert stage.count(Lead, Lead.company_id == stage.world.wash) == 1


def test_simultaneous_releases_never_exceed_a_companys_capacity(stage: Stage) -> None:
    stage.do(stage.world.mira, lambda desk: companies.set_capacity(desk, stage.world.wash, 1))
    ids = [stage.need() for _ in range(4)]
    stage.at_once(
        *[
            (stage.world.cato, lambda desk, need=need: broadcasts.approve(desk, need))
            for need in ids
        ]
    )
    assert stage.count(Lead, Lead.company_id == stage.world.wash) == 1


def test_a_late_joiner_found_twice_gets_one_lead(stage: Stage) -> None:
    need = stage.need()
    stage.do(stage.world.cato, lambda desk: broadcasts.approve(desk, need))
    stage.do(
        stage.world.cato,
        lambda desk: offers.add(
            desk, stage.world.pack, text="Industriële wasserij: linnen, luiers en werkkledij"
        ),
    )
    later = AT + timedelta(hours=1)
    (broadcast_id,) = stage.do(WORKER, closing.open_ones)
    stage.at_once(*[(WORKER, lambda desk: closing.attend(desk, broadcast_id))] * 3, at=later)
    assert stage.count(Lead, Lead.company_id == stage.world.pack) == 1


def test_an_answer_and_the_deadline_at_once(stage: Stage) -> None:
    need = stage.need()
    broadcast_id = stage.do(stage.world.cato, lambda desk: broadcasts.approve(desk, need).id)
    with stage.runtime.sessions() as session:
        deadline = session.get_one(Broadcast, broadcast_id).deadline
        lead_id = session.scalars(select(Lead.id)).one()

    def answer(desk: Desk) -> None:
        early = replace(desk, at=deadline - timedelta(seconds=1))
        answers.give(early, desk.session.get_one(Lead, lead_id), AnswerKind.INTERESTED)

    stage.at_once(
        (Actor(f"lead:{lead_id}"), answer),
        (WORKER, lambda desk: closing.attend(desk, broadcast_id)),
        at=deadline + timedelta(seconds=1),
    )
    with stage.runtime.sessions() as session:
        state = session.get_one(Need, need).state
        answered = session.get_one(Lead, lead_id).answered_at is not None
    # Whoever came first: an answer that was taken is never lost to the deadline.
    assert state is (NeedState.DECIDING if answered else NeedState.RETURNED)


def test_two_colleagues_choose_at_once(stage: Stage) -> None:
    need = stage.need()
    stage.do(stage.world.cato, lambda desk: broadcasts.approve(desk, need))
    with stage.runtime.sessions() as session:
        lead_id = session.scalars(select(Lead.id)).one()
    stage.do(
        Actor(f"lead:{lead_id}"),
        lambda desk: answers.give(desk, desk.session.get_one(Lead, lead_id), AnswerKind.INTERESTED),
        AT + timedelta(hours=1),
    )
    outcomes = stage.at_once(
        (stage.world.finn, lambda desk: choices.choose(desk, need, [lead_id])),
        (stage.world.finn, lambda desk: choices.choose(desk, need, [])),
        at=AT + timedelta(hours=2),
    )
    assert sum(each is None for each in outcomes) == 1
