"""What stands behind the company's pages, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from api.errors import Conflict, Invalid, NotAllowed, NotFound
from api.mail import bounces
from api.services import (
    answers,
    broadcasts,
    certificates,
    choices,
    colleagues,
    inbox,
    meeting_options,
    meetings,
    needs,
    offer_previews,
    outbox,
    proof,
    webhooks,
)
from api.services.desk import WORKER, Actor, Desk
from api.services.needs import NeedDraft
from models import Certificate, Company, Lead, MeetingOption, Message, WebhookDelivery
from models.answer import AnswerKind
from models.lead import Outcome
from models.meeting import OptionState, Side
from models.message import MessageKind, MessageState
from tests.conftest import World


@pytest.fixture
def released(desk: Desk, world: World) -> tuple[Desk, Lead]:
    """A desk half an hour after a need was released, and the lead of the wash company."""
    draft = NeedDraft(
        text="Wie kan onze lakens wassen en plooien?",
        place="2800 Mechelen",
        firm_name="Crèche De Zandkorrel",
        contact_name="Finn",
        contact_email=world.finn.email,
    )
    early = replace(desk, at=desk.at - timedelta(minutes=30))
    need = needs.submit(early.as_actor(world.finn), draft, proven=True)
    broadcasts.approve(early.as_actor(world.cato), need.id)
    lead = desk.session.scalars(select(Lead).where(Lead.company_id == world.wash)).one()
    return desk, lead


def states(desk: Desk) -> list[tuple[Side, OptionState]]:
    found = desk.session.scalars(select(MeetingOption).order_by(MeetingOption.id))
    return [(each.side, each.state) for each in found]


def test_moments_are_proposed_countered_taken_and_called_off(
    released: tuple[Desk, Lead], world: World
) -> None:
    desk, lead = released
    finn, mira = desk.as_actor(world.finn), desk.as_actor(world.mira)
    soon = desk.at + timedelta(days=3)
    with pytest.raises(Conflict):
        meeting_options.propose(finn, [lead.id], [soon])  # nobody is interested yet
    answers.give(desk, lead, AnswerKind.INTERESTED)
    first, second = meeting_options.propose(finn, [lead.id], [soon + timedelta(days=1), soon])
    assert first.starts_at < second.starts_at  # in order of time, as one proposed them or not
    with pytest.raises(Conflict):
        meeting_options.take(finn, first.id)
    link = desk.as_actor(Actor(f"lead:{lead.id}"))
    (countered,) = meeting_options.propose(link, [lead.id], [soon + timedelta(hours=2)])
    assert states(desk) == [
        (Side.FIRM, OptionState.REPLACED),
        (Side.FIRM, OptionState.REPLACED),
        (Side.COMPANY, OptionState.OPEN),
    ]
    with pytest.raises(Conflict):
        meeting_options.take(mira, first.id)
    meeting = meeting_options.take(finn, countered.id)
    assert (meeting.starts_at, meeting.sequence) == (countered.starts_at, 0)
    (moved,) = meeting_options.propose(mira, [lead.id], [soon + timedelta(days=2)])
    assert meetings.of_lead(desk, lead.id) is meeting  # it stands until the other side takes one
    meeting_options.decline(finn, lead.id, "Dan zijn we dicht.")
    table = meeting_options.of_lead(desk, lead.id)
    assert (table.options, table.declined) == ((), moved)
    meeting_options.propose(mira, [lead.id], [soon + timedelta(days=4)])
    choices.choose(finn, lead.need_id, [])
    assert meeting.cancelled_at is not None
    assert OptionState.OPEN not in [state for _, state in states(desk)]
    with pytest.raises(Conflict):
        meeting_options.propose(finn, [lead.id], [soon])


def test_odd_moments_are_refused(released: tuple[Desk, Lead], world: World) -> None:
    desk, lead = released
    answers.give(desk, lead, AnswerKind.INTERESTED)
    finn = desk.as_actor(world.finn)
    soon = desk.at + timedelta(days=1)
    for moments in ([], [desk.at], [desk.at + timedelta(days=800)]):
        with pytest.raises(Invalid):
            meeting_options.propose(finn, [lead.id], moments)
    with pytest.raises(Invalid):
        meeting_options.propose(finn, [lead.id], [soon + timedelta(hours=n) for n in range(7)])
    with pytest.raises(Invalid):
        meeting_options.propose(finn, [], [soon])
    for stranger in (world.otto, world.maud):
        with pytest.raises(NotFound):
            meeting_options.propose(desk.as_actor(stranger), [lead.id], [soon])
    with pytest.raises(NotAllowed):
        meeting_options.propose(desk.as_actor(world.cato), [lead.id], [soon])
    assert states(desk) == []


def test_the_inbox_and_the_reasons(
    released: tuple[Desk, Lead], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, lead = released
    mira, maud = desk.as_actor(world.mira), desk.as_actor(world.maud)
    (waiting,) = inbox.of_caller(mira).waiting
    assert (waiting.lead, waiting.answer, waiting.proposed) == (lead, None, False)
    answers.give(desk, lead, AnswerKind.INTERESTED)
    meeting_options.propose(desk.as_actor(world.finn), [lead.id], [desk.at + timedelta(days=1)])
    found = inbox.of_caller(mira)
    assert (found.waiting, found.past, found.running[0].proposed) == ([], [], True)
    choices.choose(desk.as_actor(world.finn), lead.need_id, [lead.id])
    desk.session.flush()
    assert [row.lead for row in inbox.of_caller(mira).running] == [lead]  # a choice stays in sight
    lead.outcome = Outcome.NOT_CHOSEN
    desk.session.flush()
    found = inbox.of_caller(mira)
    assert ([row.lead for row in found.past], found.running, found.older) == ([lead], [], 0)
    monkeypatch.setattr(inbox, "MOST_PAST", 0)
    assert inbox.of_caller(mira).older == 1
    (got,) = inbox.verdicts(mira)
    assert (got.lead_id, got.against) == (lead.id, [])
    (missed,) = inbox.verdicts(maud, received=False)
    assert missed.lead_id is None
    assert [each["rule"] for each in missed.against] == ["activity"]
    assert inbox.verdicts(maud, received=True) == []
    assert inbox.verdicts(desk.as_actor(world.otto)) == []


def test_a_preview_names_no_firm_and_leaves_nothing_behind(
    released: tuple[Desk, Lead], world: World
) -> None:
    desk, _ = released
    maud = desk.as_actor(world.maud)
    (seen,) = offer_previews.preview(
        maud, world.pack, "Lakens wassen voor Zandkorrel", on_site=False, at_workshop=True
    ) or [None]
    assert seen is not None
    assert seen.reached
    assert "lakens" in [word.lower() for word in seen.words]
    assert "zandkorrel" not in [word.lower() for word in seen.words]
    (kept_away,) = offer_previews.preview(
        maud, world.pack, "Lakens wassen", on_site=False, at_workshop=True, radius_km=1
    ) or [None]
    assert kept_away is not None
    assert (kept_away.suits, kept_away.reached) == (True, False)
    assert offer_previews.preview(maud, world.pack, "a", on_site=True, at_workshop=True) is None
    for stranger in (world.otto, world.mira):
        with pytest.raises(NotAllowed):
            offer_previews.preview(
                desk.as_actor(stranger), world.pack, "wassen", on_site=True, at_workshop=True
            )
    assert not desk.session.new


def test_certificates_end_with_one_mail_to_all_who_read(desk: Desk, world: World) -> None:
    mira = desk.as_actor(world.mira)
    colleagues.invite(mira, world.wash, "zeno@company.example", wants_leads=True)
    soon = desk.today + timedelta(days=10)
    far = desk.today + timedelta(days=300)
    certificates.set_all(mira, world.wash, [("haccp", soon), ("iso9001", far), ("vca", None)])
    desk.session.flush()
    worker = desk.as_actor(WORKER)
    (ending,) = certificates.ending(worker)
    certificates.remind(worker, ending)
    certificates.remind(worker, ending)
    desk.session.flush()
    assert certificates.ending(worker) == []
    told = desk.session.scalars(
        select(Message.to_email).where(Message.kind == MessageKind.EXPIRY)
    ).all()
    assert sorted(told) == ["wash@company.example", "zeno@company.example"]
    certificates.set_all(mira, world.wash, [("haccp", soon + timedelta(days=1))])
    (renewed,) = desk.session.scalars(select(Certificate)).all()
    assert renewed.reminded_at is None  # a new end is told about anew
    with pytest.raises(Invalid):
        certificates.set_all(mira, world.wash, [("onbestaand", None)])


def test_a_copy_for_a_colleague_leaves_the_proof_whole(desk: Desk, world: World) -> None:
    """Its return does not make the lead look undelivered: the company itself did get it."""
    mira = desk.as_actor(world.mira)
    colleagues.invite(mira, world.wash, "zeno@company.example", wants_leads=True)
    early = replace(desk, at=desk.at - timedelta(minutes=30))
    draft = NeedDraft(
        text="Wie kan onze lakens wassen en plooien?",
        place="2800 Mechelen",
        firm_name="Crèche De Zandkorrel",
        contact_name="Finn",
        contact_email=world.finn.email,
    )
    need = needs.submit(early.as_actor(world.finn), draft, proven=True)
    broadcast = broadcasts.approve(early.as_actor(world.cato), need.id)
    desk.session.flush()
    kinds = (MessageKind.LEAD, MessageKind.LEAD_COPY)
    sent = desk.session.scalars(select(Message).where(Message.kind.in_(kinds))).all()
    assert len(sent) == 2
    for message in sent:
        outbox.handed_over(replace(desk, at=message.due_at), message, "250 OK")
    desk.session.flush()
    cato = desk.as_actor(world.cato)
    assert [each for each in proof.verify_broadcast(cato, broadcast.id) if not each.ok] == []

    copy = next(each for each in sent if each.kind is MessageKind.LEAD_COPY)
    assert copy.to_email == "zeno@company.example"
    report = (
        "From: <>\nContent-Type: multipart/report; boundary=x; report-type=delivery-status\n\n"
        "--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
        "Final-Recipient: rfc822; zeno@company.example\nAction: failed\nStatus: 5.1.1\n\n"
        f"--x\nContent-Type: text/rfc822-headers\n\nMessage-ID: {copy.message_id}\n\n--x--\n"
    )
    assert bounces.take_in(desk.as_actor(WORKER), report.encode()) is bounces.Kind.BOUNCE
    lead = desk.session.scalars(select(Lead)).one()
    assert (copy.state, lead.bounced_at) == (MessageState.BOUNCED, None)
    company = desk.session.get_one(Company, world.wash)
    assert company.email_bounced_at is None


def test_a_webhook_hears_of_answers_and_meetings(released: tuple[Desk, Lead], world: World) -> None:
    desk, lead = released
    mira, finn = desk.as_actor(world.mira), desk.as_actor(world.finn)
    hook = webhooks.add(mira, "https://93.184.215.14/hook", company_id=world.wash)
    answers.give(mira, lead, AnswerKind.INTERESTED)
    (option,) = meeting_options.propose(finn, [lead.id], [desk.at + timedelta(days=2)])
    meeting_options.take(mira, option.id)
    meetings.cancel(finn, lead.id)
    choices.choose(finn, lead.need_id, [lead.id])
    desk.session.flush()
    heard = desk.session.scalars(
        select(WebhookDelivery.event)
        .where(WebhookDelivery.webhook_id == hook.id)
        .order_by(WebhookDelivery.id)
    ).all()
    assert heard == ["lead.answered", "meeting.agreed", "meeting.cancelled", "lead.closed"]
    webhooks.pause(mira, hook.id, True)
    assert webhooks.due(desk, hook.id) == []
    webhooks.ping(mira, hook.id)
    desk.session.flush()
    assert len(webhooks.due(desk, hook.id)) == 1
    for _ in range(webhooks.MOST_WEBHOOKS - 1):
        webhooks.add(mira, "https://93.184.215.14/hook", company_id=world.wash)
    with pytest.raises(Invalid):
        webhooks.add(mira, "https://93.184.215.14/hook", company_id=world.wash)
