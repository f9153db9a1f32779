"""The whole path through the services, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from api.errors import Conflict, Invalid, NotAllowed, NotFound
from api.runtime import Runtime
from api.services import (
    answers,
    broadcasts,
    choices,
    closing,
    collaborations,
    companies,
    exceptions,
    leads,
    ledger,
    links,
    matching,
    needs,
    outbox,
    questions,
)
from api.services.desk import Actor, Desk
from api.services.needs import NeedDraft
from matcher.eligibility import Rule
from matcher.neutrality import GENESIS, content_hash, neutral_order
from models import Collaboration, Lead, Message, Need, VerdictRow
from models.answer import AnswerKind, DeclineReason
from models.broadcast import ExceptionKind
from models.lead import Outcome
from models.message import MessageKind, MessageState
from models.states import CollaborationState, NeedState
from tests.conftest import World

TEXT = "Wie kan onze vuile luiers en lakens ophalen, wassen, plooien en proper terugbrengen?"


def at_desk(desk: Desk, actor: Actor, later: timedelta = timedelta()) -> Desk:
    return replace(desk, actor=actor, at=desk.at + later)


def submitted(desk: Desk, world: World, text: str = TEXT) -> Need:
    draft = NeedDraft(
        text=text,
        place="2800 Mechelen",
        firm_name="Crèche De Zandkorrel",
        contact_name="Finn",
        contact_email=world.finn.email,
    )
    return needs.submit(at_desk(desk, world.finn), draft, proven=True)


def reasons_against(desk: Desk, need: Need, company_id: str) -> set[Rule]:
    (judged,) = [e for e in matching.assess(desk, need).judged if e.company.id == company_id]
    return {reason.rule for reason in judged.verdict.against}


def test_a_need_travels_from_firm_to_choice(desk: Desk, world: World) -> None:
    need = submitted(desk, world)
    assert need.firm_id == world.firm
    assert need.state is NeedState.SUBMITTED
    assert need.steps

    broadcast = broadcasts.approve(at_desk(desk, world.cato), need.id)
    (lead,) = leads.leads_of(desk, broadcast.id)
    assert lead.company_id == world.wash
    assert broadcast.content_hash == content_hash(broadcast.content)
    verdicts = {row.company_id: row for row in desk.session.scalars(select(VerdictRow))}
    assert verdicts[world.wash].eligible
    assert not verdicts[world.pack].eligible
    assert world.far not in verdicts  # another hub's territory

    later = at_desk(desk, Actor(f"lead:{lead.id}"), timedelta(hours=1))
    found = links.lead_of(later, links.lead_link(desk, lead).rsplit("/", 1)[-1])
    assert found.id == lead.id
    question = questions.ask(later, lead, "Hoeveel kilo per week?")
    questions.answer(at_desk(desk, world.finn), question.id, "Ongeveer 300 kilo.")
    answers.give(later, lead, AnswerKind.INTERESTED, available_from="volgende week", note="Graag!")
    (interested,) = answers.interested(desk, need.id)
    assert interested.company.id == world.wash

    choices.choose(at_desk(desk, world.finn, timedelta(hours=2)), need.id, [lead.id], "Bedankt")
    assert need.state is NeedState.CHOSEN
    assert lead.outcome is Outcome.CHOSEN
    collaboration = desk.session.scalars(select(Collaboration)).one()
    assert collaboration.state is CollaborationState.TALK
    collaborations.update(
        at_desk(desk, world.mira), collaboration.id, state=CollaborationState.TRIAL, fte=1.5
    )

    chain = ledger.entries(desk, broadcast.id)
    events = [entry.event for entry in chain]
    assert events[:2] == ["released", "queued"]
    assert events[-2:] == ["chosen", "closed"]
    assert {"asked", "opened", "question_answered", "answered"} <= set(events)
    previous = GENESIS
    for number, entry in enumerate(chain, start=1):
        assert entry.sequence == number
        assert entry.previous_hash == previous
        previous = ledger.entry_hash(
            previous, number, entry.at, entry.event, entry.lead_id, entry.details
        )
        assert entry.hash == previous

    kinds = {message.kind for message in desk.session.scalars(select(Message))}
    assert kinds >= {
        MessageKind.INTAKE,
        MessageKind.LEAD,
        MessageKind.QUESTION,
        MessageKind.QUESTION_ANSWERED,
        MessageKind.ANSWERED,
        MessageKind.OUTCOME,
    }


def test_only_the_right_people_may_act(desk: Desk, world: World) -> None:
    need = submitted(desk, world)
    for actor, error in ((world.otto, NotFound), (world.mira, NotFound), (world.finn, NotAllowed)):
        with pytest.raises(error):
            broadcasts.approve(at_desk(desk, actor), need.id)
    broadcast = broadcasts.approve(at_desk(desk, world.cato), need.id)
    (lead,) = leads.leads_of(desk, broadcast.id)
    with pytest.raises(NotAllowed, match="neutral"):
        choices.choose(at_desk(desk, world.cato), need.id, [])
    with pytest.raises(NotFound):
        choices.choose(at_desk(desk, world.otto), need.id, [])
    with pytest.raises(Invalid, match="interested"):
        choices.choose(at_desk(desk, world.finn), need.id, [lead.id])


def test_a_need_is_released_once(desk: Desk, world: World) -> None:
    need = submitted(desk, world)
    broadcasts.approve(at_desk(desk, world.cato), need.id)
    with pytest.raises(Conflict, match="open"):
        broadcasts.approve(at_desk(desk, world.cato), need.id)
    assert len(desk.session.scalars(select(Lead)).all()) == 1


def test_an_exception_needs_a_reason_and_shows(desk: Desk, world: World) -> None:
    need = submitted(desk, world)
    cato = at_desk(desk, world.cato)
    with pytest.raises(Invalid):
        exceptions.make(cato, need.id, world.pack, ExceptionKind.ADDED, "  ")
    exceptions.make(
        cato, need.id, world.pack, ExceptionKind.ADDED, "Zij startten net een wasserij."
    )
    broadcast = broadcasts.approve(cato, need.id)
    assert {lead.company_id for lead in leads.leads_of(desk, broadcast.id)} == {
        world.wash,
        world.pack,
    }
    released = ledger.entries(desk, broadcast.id)[0]
    assert released.details["exceptions"][0]["company_id"] == world.pack


def test_absence_capacity_and_recognition_exclude_with_their_reason(
    desk: Desk, world: World
) -> None:
    need = submitted(desk, world)
    assert reasons_against(desk, need, world.wash) == set()
    mira = at_desk(desk, world.mira)
    companies.set_capacity(mira, world.wash, 0)
    assert reasons_against(desk, need, world.wash) == {Rule.CAPACITY}
    companies.set_capacity(mira, world.wash, None)
    companies.set_absences(mira, world.wash, [(desk.today, desk.today, "inventaris")])
    assert reasons_against(desk, need, world.wash) == {Rule.AVAILABILITY}


def test_who_becomes_eligible_while_the_need_is_open_gets_it_marked_late(
    desk: Desk, world: World
) -> None:
    mira = at_desk(desk, world.mira)
    companies.set_capacity(mira, world.wash, 0)
    need = submitted(desk, world)
    cato = at_desk(desk, world.cato)
    exceptions.make(cato, need.id, world.pack, ExceptionKind.ADDED, "Doet ook kleine was.")
    broadcast = broadcasts.approve(cato, need.id)
    assert [lead.company_id for lead in leads.leads_of(desk, broadcast.id)] == [world.pack]
    companies.set_capacity(mira, world.wash, 5)
    closing.due_work(at_desk(desk, world.cato, timedelta(hours=1)))
    by_company = {lead.company_id: lead for lead in leads.leads_of(desk, broadcast.id)}
    assert by_company[world.wash].late
    assert not by_company[world.pack].late
    closing.due_work(at_desk(desk, world.cato, timedelta(hours=2)))
    assert len(leads.leads_of(desk, broadcast.id)) == 2


def test_the_deadline_hands_over_to_the_firm_or_back_to_the_hub(desk: Desk, world: World) -> None:
    answered, silent = submitted(desk, world), submitted(desk, world, TEXT + " Elke dag.")
    cato = at_desk(desk, world.cato)
    first = broadcasts.approve(cato, answered.id)
    broadcasts.approve(cato, silent.id)
    (lead,) = leads.leads_of(desk, first.id)
    answers.give(at_desk(desk, world.mira), lead, AnswerKind.INTERESTED)
    closing.due_work(at_desk(desk, world.cato, timedelta(days=40)))
    assert answered.state is NeedState.DECIDING
    assert silent.state is NeedState.RETURNED
    with pytest.raises(Conflict):
        answers.give(at_desk(desk, world.mira), lead, AnswerKind.NOT_FOR_US,
                     reason=DeclineReason.PRICE)  # fmt: skip


def test_one_reminder_only_to_those_who_did_not_react(desk: Desk, world: World) -> None:
    need = submitted(desk, world)
    cato = at_desk(desk, world.cato)
    exceptions.make(cato, need.id, world.pack, ExceptionKind.ADDED, "Doet ook kleine was.")
    broadcast = broadcasts.approve(cato, need.id)
    for message in desk.session.scalars(select(Message).where(Message.kind == MessageKind.LEAD)):
        outbox.handed_over(desk, message, "250 ok")
    by_company = {lead.company_id: lead for lead in leads.leads_of(desk, broadcast.id)}
    answers.give(
        at_desk(desk, world.maud), by_company[world.pack], AnswerKind.NOT_FOR_US,
        reason=DeclineReason.NOT_OUR_WORK,
    )  # fmt: skip
    half = at_desk(desk, world.cato, timedelta(days=8))
    closing.due_work(half)
    closing.due_work(replace(half, at=half.at + timedelta(days=1)))
    reminders = desk.session.scalars(
        select(Message).where(Message.kind == MessageKind.REMINDER)
    ).all()
    assert [message.lead_id for message in reminders] == [by_company[world.wash].id]
    assert "List-Unsubscribe" in reminders[0].headers


def test_hand_over_order_is_the_neutral_order_of_the_need(desk: Desk, world: World) -> None:
    need = submitted(desk, world)
    cato = at_desk(desk, world.cato)
    exceptions.make(cato, need.id, world.pack, ExceptionKind.ADDED, "Doet ook kleine was.")
    broadcasts.approve(cato, need.id)
    due = outbox.claim(replace(desk, at=desk.at + timedelta(minutes=1)), "worker", 50)
    sent = [message for message in due if message.kind is MessageKind.LEAD]
    order = [desk.session.get_one(Lead, message.lead_id).company_id for message in sent]
    assert order == neutral_order(need.id, order)
    assert len(order) == 2


def test_a_claimed_message_is_not_claimed_twice_until_its_lease_ends(
    runtime: Runtime, world: World
) -> None:
    with runtime.sessions.begin() as session:
        submitted(Desk(session, runtime), world)
    with runtime.sessions.begin() as session:
        first = outbox.claim(Desk(session, runtime), "one", 50)
        assert first
    with runtime.sessions.begin() as session:
        assert outbox.claim(Desk(session, runtime), "two", 50) == []
        much_later = Desk(session, runtime, at=first[0].due_at + timedelta(hours=1))
        on_their_way = {message.id for message in first}
        assert outbox.claim(much_later, "one", 50, in_hand=on_their_way) == []
        again = outbox.claim(much_later, "two", 50)
        assert {message.id for message in again} == {message.id for message in first}
        assert all(message.attempts == 2 for message in again)


def test_a_message_that_fails_is_tried_later_and_at_last_given_up(desk: Desk, world: World) -> None:
    submitted(desk, world)
    message = outbox.claim(desk, "worker", 1)[0]
    outbox.try_later(desk, message, "451 greylisted")
    assert message.state is MessageState.DUE
    assert message.due_at > desk.at
    message.attempts = outbox.MOST_ATTEMPTS
    outbox.try_later(desk, message, "451 greylisted")
    assert message.state is MessageState.FAILED


def test_a_need_without_work_is_not_broadcast(desk: Desk, world: World) -> None:
    need = submitted(desk, world, "Welke advocaat kan ons bijstaan in een geschil over een patent?")
    with pytest.raises(Conflict):
        broadcasts.approve(at_desk(desk, world.cato), need.id)
    assert need.state is NeedState.SUBMITTED


def test_a_forged_or_revoked_link_opens_nothing(desk: Desk, world: World) -> None:
    need = submitted(desk, world)
    broadcast = broadcasts.approve(at_desk(desk, world.cato), need.id)
    (lead,) = leads.leads_of(desk, broadcast.id)
    token = links.lead_link(desk, lead).rsplit("/", 1)[-1]
    for forged in (token[:-1] + "x", token.replace(lead.id, "0" * 26), "", "a.b.c", "é.1.ü"):
        with pytest.raises(NotFound):
            links.lead_of(desk, forged)
