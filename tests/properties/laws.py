"""The laws of neutrality, read from a database by an onlooker who trusts no service.

Each law raises AssertionError when it does not hold. They look at rows only; the arithmetic of
order and hashes is written out again here, so that a fault in the program's own would show.
"""

import hashlib
import json
import re
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api import wording
from api.services import answers, proof, tasks
from api.services.desk import Actor, Desk
from matcher.eligibility import Rule
from models import (
    Answer,
    Attachment,
    Broadcast,
    Company,
    Correction,
    Lead,
    LedgerEntry,
    Message,
    Need,
    VerdictRow,
)
from models.answer import AnswerKind
from models.message import MessageKind, MessageState
from models.states import NeedState

# What may not be so yet while mail is on its way.
UNDERWAY = {"delivered", "spread"}


def hashed(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def neutral(need_id: str, company_ids: list[str]) -> list[str]:
    """The published rule, as anyone would write it."""
    return sorted(
        company_ids, key=lambda each: hashlib.sha256(f"{need_id}:{each}".encode()).hexdigest()
    )


def entries_of(session: Session, broadcast: Broadcast, event: str) -> list[LedgerEntry]:
    return list(
        session.scalars(
            select(LedgerEntry)
            .where(LedgerEntry.broadcast_id == broadcast.id, LedgerEntry.event == event)
            .order_by(LedgerEntry.sequence)
        )
    )


def leads_of(session: Session, broadcast: Broadcast) -> list[Lead]:
    return list(session.scalars(select(Lead).where(Lead.broadcast_id == broadcast.id)))


def lead_mails(session: Session, broadcast: Broadcast) -> list[tuple[Message, Lead]]:
    rows = session.execute(
        select(Message, Lead)
        .join(Lead, Lead.id == Message.lead_id)
        .where(Lead.broadcast_id == broadcast.id, Message.kind == MessageKind.LEAD)
    )
    return [(message, lead) for message, lead in rows]


def readdressed(session: Session, broadcast: Broadcast) -> set[str]:
    """The Message-IDs of mails that went to another address after the first had failed."""
    found = entries_of(session, broadcast, "readdressed")
    return {entry.details["message_id"] for entry in found}


def complete(session: Session, broadcast: Broadcast) -> None:
    """Recipients are the eligible set, plus and minus the written exceptions."""
    (released,) = entries_of(session, broadcast, "released")
    wanted = {each["company_id"] for each in released.details["verdicts"] if each["eligible"]}
    for entry in entries_of(session, broadcast, "exception"):
        assert len(entry.details["reason"].strip()) >= 10
        if entry.details["kind"] == "added":
            wanted.add(entry.details["company_id"])
        else:
            wanted.discard(entry.details["company_id"])
    together = {lead.company_id for lead in leads_of(session, broadcast) if not lead.late}
    assert together == wanted
    later = {
        entry.details["company_id"] for entry in entries_of(session, broadcast, "became_eligible")
    }
    assert {lead.company_id for lead in leads_of(session, broadcast) if lead.late} == later


def one_lead_each(session: Session, broadcast: Broadcast) -> None:
    companies = [lead.company_id for lead in leads_of(session, broadcast)]
    assert len(companies) == len(set(companies))
    tried = [
        (lead.id, message.to_email)
        for message, lead in lead_mails(session, broadcast)
        if message.state is not MessageState.CANCELLED
    ]
    assert len(tried) == len(set(tried)), "an address got a lead twice"
    counting = [
        lead.id
        for message, lead in lead_mails(session, broadcast)
        if message.state in (MessageState.DUE, MessageState.SENT)
    ]
    assert len(counting) == len(set(counting)), "a company got its lead twice"


def simultaneous(session: Session, broadcast: Broadcast) -> None:
    """One release moment for all who were there at the release."""
    asked_to_wait = {
        entry.lead_id
        for entry in entries_of(session, broadcast, "queued")
        if "daily" in entry.details
    }
    again = readdressed(session, broadcast)
    untried = [
        message.due_at
        for message, lead in lead_mails(session, broadcast)
        if message.attempts == 0 and not lead.late and lead.id not in asked_to_wait
        if message.message_id not in again
    ]
    assert set(untried) <= {broadcast.released_at}
    for message, _ in lead_mails(session, broadcast):
        if message.handed_over_at:
            assert message.handed_over_at >= broadcast.released_at


def identical(session: Session, broadcast: Broadcast) -> None:
    """The content is what was hashed, and every mail of a language says the same."""
    assert hashed(broadcast.content) == broadcast.content_hash
    (released,) = entries_of(session, broadcast, "released")
    assert released.details["content_hash"] == broadcast.content_hash
    said = defaultdict(set)
    for message, lead in lead_mails(session, broadcast):
        text = re.sub(r"https?://\S+", "LINK", message.text).replace(message.to_name, "NAME")
        assert broadcast.content["text"].split()[0] in text
        said[message.language, lead.late].add(text)
    assert all(len(texts) == 1 for texts in said.values()), said


def order_free(session: Session, broadcast: Broadcast, desk: Desk) -> None:
    """Neither hand-over nor what the firm sees follows a ranking."""
    again = readdressed(session, broadcast)
    mails = [
        (message, lead)
        for message, lead in lead_mails(session, broadcast)
        if not lead.late and message.message_id not in again
    ]
    ranked = [lead.company_id for message, lead in sorted(mails, key=lambda each: each[0].rank)]
    assert ranked == neutral(broadcast.need_id, ranked)
    seen = [each.company.id for each in answers.interested(desk, broadcast.need_id)]
    assert seen == neutral(broadcast.need_id, seen)


def explained(session: Session, broadcast: Broadcast, desk: Desk) -> None:
    """Every exclusion has a coded reason that can be read in three languages."""
    names = desk.runtime.certificates
    for row in session.scalars(select(VerdictRow).where(VerdictRow.broadcast_id == broadcast.id)):
        against = [reason for reason in row.reasons if not reason["ok"]]
        assert row.eligible == (not against)
        assert {reason["rule"] for reason in row.reasons} <= {rule.value for rule in Rule}
        for reason in against:
            said = {wording.reason(each, reason, names) for each in ("nl", "fr", "en")}
            assert len(said) == 3


def proven(broadcast: Broadcast, desk: Desk) -> None:
    """The ledger recomputes: nothing was changed, left out or slipped in."""
    failing = [
        check
        for check in proof.verify_broadcast(desk, broadcast.id)
        if not check.ok and check.name not in UNDERWAY
    ]
    assert failing == []


def reminded_once(session: Session, broadcast: Broadcast) -> None:
    """One reminder at most; never after closing, never to who reacted."""
    rows = session.execute(
        select(Message, Lead)
        .join(Lead, Lead.id == Message.lead_id)
        .where(Lead.broadcast_id == broadcast.id, Message.kind == MessageKind.REMINDER)
    ).all()
    assert len({lead.id for _, lead in rows}) == len(rows)
    for message, lead in rows:
        assert message.created_at < broadcast.deadline
        assert lead.closed_at is None or message.created_at <= lead.closed_at
        if lead.closed_at is not None:
            assert message.state is not MessageState.DUE
        first = session.scalar(select(func.min(Answer.created_at)).where(Answer.lead_id == lead.id))
        assert first is None or first >= message.created_at
        if message.state is MessageState.DUE:
            last = session.scalar(
                select(Answer.kind).where(Answer.lead_id == lead.id).order_by(Answer.id.desc())
            )
            assert last is not AnswerKind.NOT_FOR_US, "a decliner would still be reminded"


def no_silent_gap(session: Session, broadcast: Broadcast, desk: Desk) -> None:
    """An open lead that no mail brings to its company is a task of the coordinator."""
    need = session.get_one(Need, broadcast.need_id)
    if need.state is not NeedState.OPEN or broadcast.closed_at is not None:
        return
    coordinator = desk.as_actor(Actor("onlooker", hubs=frozenset({need.hub_id})))
    visible = {
        task.lead_id
        for task in tasks.of_hub(coordinator, need.hub_id)
        if task.kind is tasks.TaskKind.LEAD_UNREACHED
    }
    brought = {
        lead.id
        for message, lead in lead_mails(session, broadcast)
        if message.state in (MessageState.DUE, MessageState.SENT)
    }
    tried = {
        (lead.id, message.to_email)
        for message, lead in lead_mails(session, broadcast)
        if message.state is not MessageState.CANCELLED
    }
    for lead in leads_of(session, broadcast):
        company = session.get_one(Company, lead.company_id)
        usable = company.active and company.email and not company.email_bounced_at
        promised = usable and (lead.id, company.email) not in tried  # the worker will bring it
        assert lead.id in brought | visible or lead.opened_at or lead.answered_at or promised
        if company.email is None and lead.id not in brought and not lead.opened_at:
            assert lead.id in visible


def nudged_twice_at_most(session: Session, broadcast: Broadcast) -> None:
    """The firm hears at most two nudges, a week apart, and only after the deadline."""
    moments = sorted(
        session.scalars(
            select(Message.created_at)
            .join(Need, Need.id == Message.need_id)
            .where(
                Message.need_id == broadcast.need_id,
                Message.kind == MessageKind.NUDGE,
                Message.to_email == Need.contact_email,
            )
        )
    )
    assert len(moments) <= 2
    assert all(moment >= broadcast.deadline + timedelta(days=7) for moment in moments[:1])
    assert all(
        later - earlier >= timedelta(days=7) - timedelta(hours=1)
        for earlier, later in pairwise(moments)
    )


def closed_means_closed(session: Session, broadcast: Broadcast) -> None:
    """A need that is no longer out has no open lead and no lead mail still to go."""
    need = session.get_one(Need, broadcast.need_id)
    if need.state in (NeedState.OPEN, NeedState.DECIDING):
        return
    assert all(lead.closed_at and lead.outcome for lead in leads_of(session, broadcast))
    for message, _ in lead_mails(session, broadcast):
        assert message.state is not MessageState.DUE


def files_as_sent(session: Session, broadcast: Broadcast) -> None:
    """The files of an open need are those that all recipients were told of, byte for byte."""
    newest = session.scalar(
        select(func.max(Broadcast.number)).where(Broadcast.need_id == broadcast.need_id)
    )
    need = session.get_one(Need, broadcast.need_id)
    if need.state is not NeedState.OPEN or broadcast.number != newest:
        return
    corrections = session.scalars(
        select(Correction.content)
        .where(Correction.broadcast_id == broadcast.id)
        .order_by(Correction.number)
    ).all()
    told = [broadcast.content, *corrections][-1]["attachments"]
    kept = session.scalars(select(Attachment).where(Attachment.need_id == need.id)).all()
    assert {each["id"]: each["hash"] for each in told} == {
        each.id: hashlib.sha256(each.content).hexdigest() for each in kept
    }


def all_laws(session: Session, desk: Desk) -> None:
    """Every law, over every broadcast there is."""
    for broadcast in session.scalars(select(Broadcast)):
        complete(session, broadcast)
        one_lead_each(session, broadcast)
        simultaneous(session, broadcast)
        identical(session, broadcast)
        order_free(session, broadcast, desk)
        explained(session, broadcast, desk)
        proven(broadcast, desk)
        reminded_once(session, broadcast)
        nudged_twice_at_most(session, broadcast)
        no_silent_gap(session, broadcast, desk)
        closed_means_closed(session, broadcast)
        files_as_sent(session, broadcast)
