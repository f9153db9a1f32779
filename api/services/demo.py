"""The demo hub: a fictional network, with needs brought into every state by the real services."""

import random
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.errors import Problem
from api.runtime import Runtime
from api.services import (
    answers,
    broadcasts,
    choices,
    closing,
    collaborations,
    hubs,
    imports,
    leads,
    needs,
    outbox,
    people,
    questions,
    referrals,
    vectors,
)
from api.services.desk import IMPORT, Actor, Desk
from api.services.network import lay_reference
from api.services.sheets import Row, read_rows
from models import Broadcast, Collaboration, Company, Lead, Message, Need, Person, now
from models.answer import AnswerKind, DeclineReason
from models.message import MessageState
from models.referral import ReferralKind
from models.states import CollaborationState

Progress = Callable[[int, int], None]
SEED = 2027  # the demo is the same at every start
NOTES = (
    "We kunnen binnen twee weken beginnen met een proef.",
    "Graag eerst een bezoek om het werk te zien.",
    "We doen dit al voor twee andere klanten in de streek.",
    "Vast team van zes met een begeleider, ophaling kan mee.",
    "Voor ons haalbaar vanaf volgende maand.",
)
QUESTIONS = (
    "Kan het werk ook in schooldagen gebeuren, tussen 8 en 16 uur?",
    "Levert u het materiaal aan of halen we het op?",
    "Hoe ziet een normale week eruit, en wat zijn de pieken?",
)
DECLINES = (DeclineReason.NO_CAPACITY, DeclineReason.TOO_BIG, DeclineReason.NOT_OUR_WORK)


def lay_demo(runtime: Runtime, progress: Progress) -> None:
    """Fill an empty database with the demo network; a database in use is left as it is."""
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, IMPORT)
        lay_reference(desk)
        if session.scalar(select(Company.id).limit(1)) is not None:
            return
        for noun in ("companies", "offers", "firms"):
            _import(desk, noun, f"{noun}.csv")
        vectors.refresh_vectors(desk)
        _add_people(desk)
    folder = runtime.settings.data_dir / "demo"
    rows = read_rows("needs.jsonl", (folder / "needs.jsonl").read_bytes(), ["text"], [])
    chance = random.Random(SEED)  # noqa: S311 - a reproducible demo, no secret
    for done, row in enumerate(rows, start=1):
        with runtime.sessions.begin() as session:
            _bring_along(session, runtime, row, chance)
        progress(done, len(rows))
    with runtime.sessions.begin() as session:
        _hand_over_history(Desk(session, runtime, IMPORT))


def _import(desk: Desk, noun: str, name: str) -> None:
    content = (desk.runtime.settings.data_dir / "demo" / name).read_bytes()
    report = imports.import_table(desk, noun, name, content)
    if report.bad:
        raise ValueError(f"data/demo/{name}: {report.bad[0]}")


def _add_people(desk: Desk) -> None:
    for hub in hubs.all_hubs(desk):
        person = people.find_or_add(desk, hub.email, name=f"Coördinator {hub.name}")
        people.add_role(desk, person, hub_id=hub.id)
    for company in desk.session.scalars(select(Company).order_by(Company.id)):
        if company.email:
            person = people.find_or_add(
                desk, company.email, name=company.name, language=company.language
            )
            people.add_role(desk, person, company_id=company.id)


def _bring_along(session: Session, runtime: Runtime, row: Row, chance: random.Random) -> None:
    """One need, from its submission to the state the demo wants it in."""
    wanted = row["state"]
    ended = wanted in ("deciding", "chosen", "none_chosen", "returned")
    days = chance.randint(24, 60) if ended else chance.randint(2, 8)
    at = now() - timedelta(days=days, minutes=chance.randint(0, 600))
    desk = Desk(session, runtime, IMPORT, at)
    need = needs.submit(desk, imports.draft_of(desk, row), proven=wanted != "draft")
    session.flush()
    hub = Desk(session, runtime, _actor(desk, "hub", need), at + timedelta(hours=20))
    firm = Desk(session, runtime, _actor(desk, "firm", need), at + timedelta(hours=30))
    if wanted == "no_fit":
        needs.declare_no_fit(
            hub, need.id, "Dit is geen werk voor een maatwerkbedrijf; we sturen u graag door."
        )
    elif wanted == "referred":
        referrals.refer(
            hub,
            need.id,
            ReferralKind.EXPERT,
            "Kunnen jullie dit opnemen?",
            to_name="Circulair expertisecentrum",
            to_email="expert@circulair.example",
        )
    elif wanted == "withdrawn":
        closing.withdraw(firm, need.id, "We lossen het voorlopig zelf op.")
    elif wanted not in ("draft", "submitted"):
        try:
            with session.begin_nested():
                broadcast = broadcasts.approve(hub, need.id)
        except Problem:
            return  # nobody eligible: it waits in the queue, as it would in life
        _live_on(hub, need, broadcast, wanted, chance)


def _live_on(
    hub: Desk, need: Need, broadcast: Broadcast, wanted: str, chance: random.Random
) -> None:
    """Companies answer, the deadline passes, the firm chooses."""
    session, runtime = hub.session, hub.runtime
    firm = _actor(hub, "firm", need)
    for lead in leads.leads_of(hub, broadcast.id):
        moment = hub.at + timedelta(hours=chance.randint(1, 44))
        desk = Desk(session, runtime, Actor(f"lead:{lead.id}"), min(moment, now()))
        _react(desk, lead, chance, interested=0.0 if wanted == "returned" else 0.5)
    for question in questions.of_need(hub, need.id):
        if chance.random() < 0.7:
            at = min(hub.at + timedelta(hours=46), now())
            questions.answer(
                Desk(session, runtime, firm, at), question.id, "Ja, dat kan; we bekijken het samen."
            )
    if wanted == "open":
        return
    deadline = Desk(session, runtime, IMPORT, broadcast.deadline + timedelta(minutes=5))
    closing.pass_deadline(deadline, broadcast)
    interested = answers.interested(hub, need.id)
    if wanted in ("chosen", "none_chosen") and interested:
        later = Desk(session, runtime, firm, broadcast.deadline + timedelta(days=2))
        chosen = [interested[0].lead.id] if wanted == "chosen" else []
        choices.choose(later, need.id, chosen, "Bedankt aan iedereen die reageerde.")
        _collaborate(later, need, chance)


def _react(desk: Desk, lead: Lead, chance: random.Random, *, interested: float) -> None:
    what = chance.random()
    if what < 0.2:
        return  # has not opened it yet
    answers.opened(desk, lead)
    if what < 0.35 and interested:
        questions.ask(desk, lead, chance.choice(QUESTIONS))
    if what < 0.35 + interested:
        if interested:
            answers.give(
                desk,
                lead,
                AnswerKind.INTERESTED,
                available_from="over twee weken",
                capacity=f"{chance.randint(2, 8)} medewerkers",
                note=chance.choice(NOTES),
            )
    else:
        answers.give(desk, lead, AnswerKind.NOT_FOR_US, reason=chance.choice(DECLINES))


def _collaborate(desk: Desk, need: Need, chance: random.Random) -> None:
    for each in desk.session.scalars(select(Collaboration).where(Collaboration.need_id == need.id)):
        if chance.random() < 0.6:
            collaborations.update(
                desk,
                each.id,
                state=CollaborationState.RUNNING,
                hours_per_week=float(chance.randint(10, 120)),
                fte=chance.randint(1, 4) * 0.5,
            )


def _actor(desk: Desk, role: str, need: Need) -> Actor:
    if role == "hub":
        person = people.coordinators(desk, need.hub_id)[0]
    else:
        person = desk.session.scalars(
            select(Person).where(Person.email == need.contact_email)
        ).one()
    return people.actor_of(desk, person)


def _hand_over_history(desk: Desk) -> None:
    """The mails of the demo's past count as delivered then; only new ones are really sent."""
    waiting = desk.session.scalars(
        select(Message).where(Message.state == MessageState.DUE).order_by(Message.due_at)
    ).all()
    for message in waiting:
        then = Desk(desk.session, desk.runtime, desk.actor, message.due_at)
        outbox.handed_over(then, message, "250 OK (before the demo began)")
