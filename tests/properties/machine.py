"""Random histories of a small network: everything people, time and crashes can do to it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)
from sqlalchemy import select

from api.errors import Problem
from api.runtime import Runtime
from api.services import (
    answers,
    attachments,
    broadcasts,
    choices,
    closing,
    companies,
    corrections,
    digests,
    exceptions,
    hubs,
    needs,
    nudges,
    offers,
    outbox,
    people,
    questions,
    unreached,
)
from api.services.desk import IMPORT, WORKER, Actor, Desk
from api.services.needs import NeedDraft
from api.services.outbox import Outcome, Result
from api.services.uploads import Upload
from models import Broadcast, Company, Lead, Need, Question, new_id
from models.answer import AnswerKind, DeclineReason
from models.broadcast import ExceptionKind
from models.company import Delivery, Recognition
from models.hub import Policy
from models.states import NEED_TRANSITIONS, IllegalTransition, NeedState
from tests.conftest import World, lay_world
from tests.properties.laws import all_laws
from tests.properties.network import OFFERS, PLACES, TEXTS

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday
PDF = b"%PDF-1.7\n%%EOF\n"
TURNS = ("withdraw", "no fit", "take back", "reopen", "correct", "ask", "attach", "detach")


class Crash(Exception):
    """The process died before the commit."""


class Network(RuleBasedStateMachine):
    """Each rule is one transaction; `crash` kills it before its commit."""

    needs = Bundle("needs")
    companies = Bundle("companies")
    crash = st.sampled_from([False] * 9 + [True])
    pick = st.integers(0, 20)

    def __init__(self, open_database: Callable[[], AbstractContextManager[Runtime]]) -> None:
        super().__init__()
        self._open = open_database()
        self.runtime = self._open.__enter__()
        self.at = START
        self.states: dict[str, NeedState] = {}
        self.reached: set[str] = set()  # what this history has come by, to be counted
        self.made = 0
        with self.runtime.sessions.begin() as session:
            desk = Desk(session, self.runtime, IMPORT, self.at)
            self.world: World = lay_world(desk)
            self.hubs = {self.world.hub: self.world.cato} | self._other_hub(desk)

    def _other_hub(self, desk: Desk) -> dict[str, Actor]:
        """The hub of the coast and its coordinator."""
        hub = hubs.owner_of(desk, desk.runtime.places.find(PLACES[-1]).nis)
        olga = people.find_or_add(desk, "olga@hub.example", name="Olga")
        people.add_role(desk, olga, hub_id=hub.id)
        return {hub.id: people.actor_of(desk, olga)}

    def coordinator(self, need: str) -> Actor:
        """Who coordinates the hub that has this need now."""
        with self.runtime.sessions() as session:
            return self.hubs[session.get_one(Need, need).hub_id]

    def teardown(self) -> None:
        self._open.__exit__(None, None, None)

    # -- how anything is done ---------------------------------------------------------------

    def do(self, actor: Actor, deed: Callable[[Desk], Any], *, crash: bool = False) -> Any:
        """One transaction. What a service refuses is refused; anything else is a fault."""
        self.at += timedelta(seconds=1)
        try:
            with self.runtime.sessions.begin() as session:
                result = deed(Desk(session, self.runtime, actor, self.at))
                session.flush()
                if crash:
                    raise Crash
        except (Problem, IllegalTransition, Crash):
            return None
        return result

    def some(self, model: Any, pick: int, *where: Any) -> str | None:
        """The id of one row among those that meet the conditions, or None."""
        with self.runtime.sessions() as session:
            ids = session.scalars(select(model.id).where(*where).order_by(model.id)).all()
        return ids[pick % len(ids)] if ids else None

    # -- the network ------------------------------------------------------------------------

    @initialize(target=needs, released=st.sampled_from([True, True, False]))
    def begins(self, released: bool) -> Any:
        need_id = self._submit(0, "2800 Mechelen", False)
        if released and need_id:
            self.hub_approves(need_id, None, False)
        return multiple(need_id)

    @initialize(target=companies)
    def has_companies(self) -> Any:
        return multiple(self.world.wash, self.world.pack, self.world.far)

    @rule(
        which=st.integers(0, 1),
        policy=st.sampled_from([None, *Policy]),
        reminders=st.sampled_from([None, True, False]),
        days=st.sampled_from([None, 1, 10]),
        crash=crash,
    )
    def hub_changes_terms(
        self,
        which: int,
        policy: Policy | None,
        reminders: bool | None,
        days: int | None,
        crash: bool,
    ) -> None:
        hub_id, actor = list(self.hubs.items())[which]
        self.do(
            actor,
            lambda desk: hubs.change_terms(
                desk, hub_id, policy=policy, reminders=reminders, deadline_days=days
            ),
            crash=crash,
        )

    @rule(
        target=companies,
        place=st.sampled_from(PLACES),
        offer=st.sampled_from(OFFERS),
        language=st.sampled_from(["nl", "fr", "en"]),
        mail=st.booleans(),
        radius=st.sampled_from([0, 10, 40, 300]),
        capacity=st.sampled_from([None, None, 0, 1, 2]),
        crash=crash,
    )
    def company_joins(
        self, place: str, offer: str, language: str, mail: bool, radius: int,
        capacity: int | None, crash: bool,
    ) -> Any:  # fmt: skip
        self.made += 1

        def join(desk: Desk) -> str:
            company = companies.add(
                desk,
                name=f"Werkplaats {self.made}",
                places=[(place, "")],
                email=f"c{self.made}@company.example" if mail else "",
                language=language,
                service_radius_km=radius,
                max_open_leads=capacity,
            )
            offers.add(desk, company.id, text=offer, on_site=True)
            return company.id

        joined = self.do(self.world.cato, join, crash=crash)
        return multiple(joined) if joined else multiple()

    @rule(
        company=companies,
        change=st.sampled_from(
            ["capacity", "absence", "back", "mail", "no mail", "suspended", "recognised",
             "inactive", "active", "no reminders", "daily", "offer"]
        ),
        capacity=st.sampled_from([None, 0, 1, 2]),
        days=st.integers(0, 30),
        offer=st.sampled_from(OFFERS),
        crash=crash,
    )  # fmt: skip
    def company_changes(
        self, company: str, change: str, capacity: int | None, days: int, offer: str, crash: bool
    ) -> None:
        today = self.at.date()
        absence = [(today, today + timedelta(days=days), "")]
        deeds: dict[str, Callable[[Desk], Any]] = {
            "capacity": lambda desk: companies.set_capacity(desk, company, capacity),
            "absence": lambda desk: companies.set_absences(desk, company, absence),
            "back": lambda desk: companies.set_absences(desk, company, []),
            "mail": lambda desk: companies.change(desk, company, email=f"{company}@x.example"),
            "no mail": lambda desk: companies.change(desk, company, email=""),
            "suspended": lambda desk: companies.set_recognition(
                desk, company, Recognition.SUSPENDED
            ),
            "recognised": lambda desk: companies.set_recognition(
                desk, company, Recognition.RECOGNISED
            ),
            "inactive": lambda desk: companies.deactivate(desk, company),
            "active": lambda desk: companies.deactivate(desk, company, active=True),
            "daily": lambda desk: companies.change(desk, company, delivery=Delivery.DAILY),
            "no reminders": lambda desk: companies.change(desk, company, wants_reminders=False),
            "offer": lambda desk: offers.add(desk, company, text=offer, on_site=True),
        }
        self.do(self.world.cato, deeds[change], crash=crash)

    # -- the hub and the firm ---------------------------------------------------------------

    def _submit(self, text: int, place: str, crash: bool) -> str | None:
        draft = NeedDraft(
            text=TEXTS[text],
            place=place,
            firm_name="Crèche De Zandkorrel",
            contact_name="Finn",
            contact_email=self.world.finn.email,
        )
        found: str | None = self.do(
            self.world.finn, lambda desk: needs.submit(desk, draft, proven=True).id, crash=crash
        )
        return found

    @rule(
        target=needs,
        text=st.integers(0, len(TEXTS) - 1),
        place=st.sampled_from(PLACES),
        crash=crash,
    )
    def firm_asks(self, text: int, place: str, crash: bool) -> Any:
        need_id = self._submit(text, place, crash)
        return multiple(need_id) if need_id else multiple()

    @rule(need=needs, company=companies, kind=st.sampled_from(ExceptionKind),
          reason=st.sampled_from(["", "kort", "De firma werkt al met dit maatwerkbedrijf."]),
          crash=crash)  # fmt: skip
    def hub_makes_exception(
        self, need: str, company: str, kind: ExceptionKind, reason: str, crash: bool
    ) -> None:
        self.do(
            self.coordinator(need),
            lambda desk: exceptions.make(desk, need, company, kind, reason),
            crash=crash,
        )

    @rule(need=needs, company=companies, crash=crash)
    def hub_undoes_exception(self, need: str, company: str, crash: bool) -> None:
        self.do(
            self.coordinator(need), lambda desk: exceptions.undo(desk, need, company), crash=crash
        )

    @rule(need=needs, days=st.sampled_from([None, -1, 0, 1, 5, 400]), crash=crash)
    def hub_approves(self, need: str, days: int | None, crash: bool) -> None:
        deadline = None if days is None else self.at + timedelta(days=days)

        def approve(desk: Desk) -> None:
            broadcast = broadcasts.approve(desk, need, deadline=deadline)
            self.within_capacity(desk, broadcast)
            self.reached.add("approved")

        self.do(self.coordinator(need), approve, crash=crash)

    def within_capacity(self, desk: Desk, broadcast: Broadcast) -> None:
        """Nobody just got more open leads than it wants, save by a written exception."""
        added = {
            each.company_id
            for each in exceptions.of_need(desk, broadcast.need_id)
            if each.kind is ExceptionKind.ADDED
        }
        for lead in desk.session.scalars(
            select(Lead).where(Lead.broadcast_id == broadcast.id, Lead.created_at == desk.at)
        ):
            company = desk.session.get_one(Company, lead.company_id)
            most = company.max_open_leads
            if most is None or company.id in added:
                continue
            waiting = desk.session.scalars(
                select(Lead.id).where(
                    Lead.company_id == company.id,
                    Lead.closed_at.is_(None),
                    Lead.answered_at.is_(None),
                )
            ).all()
            assert len(waiting) <= most

    @rule(
        need=needs,
        what=st.sampled_from(TURNS),
        crash=crash,
    )
    def need_turns(self, need: str, what: str, crash: bool) -> None:
        cato, finn = self.coordinator(need), self.world.finn
        deeds: dict[str, tuple[Actor, Callable[[Desk], Any]]] = {
            "withdraw": (finn, lambda desk: closing.withdraw(desk, need)),
            "no fit": (cato, lambda desk: needs.declare_no_fit(desk, need, "Geen werk hier.")),
            "take back": (cato, lambda desk: needs.take_back(desk, need)),
            "reopen": (finn, lambda desk: choices.reopen(desk, need)),
            "correct": (finn, lambda desk: corrections.correct(desk, need, "Toch 400 kilo.")),
            "ask": (cato, lambda desk: questions.ask_firm(desk, need, "Hoeveel?")),
            "attach": (finn, lambda desk: attachments.add(desk, need, [Upload("p.pdf", PDF)])),
            "detach": (finn, lambda desk: self.detach(desk, need)),
        }
        actor, deed = deeds[what]
        self.do(actor, deed, crash=crash)

    def detach(self, desk: Desk, need: str) -> None:
        for each in attachments.of_need(desk, need)[:1]:
            attachments.remove(desk, need, each.id)
            self.reached.add("detached")

    @rule(need=needs, number=st.integers(0, 3), forged=st.booleans(), crash=crash)
    def firm_chooses(self, need: str, number: int, forged: bool, crash: bool) -> None:
        def choose(desk: Desk) -> None:
            ids = [each.lead.id for each in answers.interested(desk, need)][:number]
            choices.choose(desk, need, [*ids, new_id()] if forged and number else ids)
            self.reached.add("chosen")

        self.do(self.world.finn, choose, crash=crash)

    # -- the companies ----------------------------------------------------------------------

    @rule(
        pick=pick,
        kind=st.sampled_from(AnswerKind),
        reason=st.sampled_from([None, *DeclineReason]),
        crash=crash,
    )
    def company_answers(
        self, pick: int, kind: AnswerKind, reason: DeclineReason | None, crash: bool
    ) -> None:
        lead_id = self.some(Lead, pick)
        if lead_id is not None:

            def answer(desk: Desk) -> None:
                lead = desk.session.get_one(Lead, lead_id)
                answers.give(desk, lead, kind, reason=reason)
                self.reached.add("answered")

            self.do(Actor(f"lead:{lead_id}"), answer, crash=crash)

    @rule(pick=pick, crash=crash)
    def company_asks(self, pick: int, crash: bool) -> None:
        lead_id = self.some(Lead, pick)
        if lead_id is not None:
            self.do(
                Actor(f"lead:{lead_id}"),
                lambda desk: questions.ask(
                    desk, desk.session.get_one(Lead, lead_id), "Hoeveel kilo per week?"
                ),
                crash=crash,
            )

    @rule(pick=pick, crash=crash)
    def firm_answers_question(self, pick: int, crash: bool) -> None:
        question_id = self.some(Question, pick)
        if question_id is not None:
            self.do(
                self.world.finn,
                lambda desk: questions.answer(desk, question_id, "Driehonderd."),
                crash=crash,
            )

    # -- time, mail and the worker ----------------------------------------------------------

    @rule(hours=st.sampled_from([1, 6, 24, 80, 200]))
    def time_passes(self, hours: int) -> None:
        self.at += timedelta(hours=hours)

    @rule(crash=crash)
    def worker_attends(self, crash: bool) -> None:
        def attend(desk: Desk) -> None:
            closing.due_work(desk)
            for lead_id in unreached.waiting(desk):
                unreached.bring(desk, lead_id)
                self.reached.add("readdressed")
            assert unreached.waiting(desk) == []
            for company_id in digests.waiting(desk):
                digests.gather(desk, company_id)
            for need_id in nudges.undecided(desk):
                nudges.nudge(desk, need_id)
                self.reached.add("nudged")
            for broadcast_id in closing.open_ones(desk):
                self.within_capacity(desk, desk.session.get_one(Broadcast, broadcast_id))

        self.do(WORKER, attend, crash=crash)

    @rule(
        limit=st.integers(1, 10),
        results=st.lists(st.sampled_from([*Result, Result.TAKEN, Result.TAKEN]), min_size=10,
                         max_size=10),
        dies=crash,
        crash=crash,
    )  # fmt: skip
    def mail_goes(self, limit: int, results: list[Result], dies: bool, crash: bool) -> None:
        """A worker claims; the mail server says something; it may die between the two."""
        ids = self.do(
            WORKER,
            lambda desk: [each.id for each in outbox.claim(desk, "worker", limit)],
            crash=crash,
        )
        if not ids or dies:
            return
        outcomes = [
            Outcome(each, result, "250 ok", self.at)
            for each, result in zip(ids, results, strict=False)
        ]
        self.do(WORKER, lambda desk: outbox.record(desk, outcomes))
        self.reached.add("mailed")

    # -- what must hold after every step ----------------------------------------------------

    @invariant()
    def the_laws_hold(self) -> None:
        with self.runtime.sessions() as session:
            all_laws(session, Desk(session, self.runtime, IMPORT, self.at))

    @invariant()
    def only_allowed_states_follow(self) -> None:
        with self.runtime.sessions() as session:
            for need in session.scalars(select(Need)):
                before = self.states.get(need.id)
                if before is not None and before is not need.state:
                    assert need.state in NEED_TRANSITIONS[before]
                self.states[need.id] = need.state
