"""Broadcasts: the frozen eligible set, one lead per company, everything in one transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select

from api.errors import Conflict, Invalid
from api.services import (
    attachments,
    audit,
    authorisation,
    colleagues,
    digests,
    exceptions,
    hub_texts,
    hubs,
    leads,
    ledger,
    links,
    matching,
    outbox,
    webhooks,
)
from api.services.desk import BRUSSELS, Desk
from api.services.matching import Assessment, Judged
from api.services.needs import notify_firm, with_steps
from matcher import proof
from matcher.neutrality import content_hash, neutral_order
from models import (
    Broadcast,
    BroadcastException,
    Company,
    Hub,
    Lead,
    Need,
    VerdictRow,
    new_id,
)
from models.broadcast import ExceptionKind
from models.message import MessageKind
from models.states import NeedState

RELEASE_DELAY = timedelta(seconds=2)  # all mails stand ready in the outbox before the release
RELEASE_DELAY_EACH = timedelta(milliseconds=15)  # and writing each of them takes a moment
DEADLINE_HOUR = time(17, 0)  # deadlines end with the working day in Brussels


def content_of(desk: Desk, need: Need, hub: Hub) -> dict[str, Any]:
    """What every recipient gets of a need, word for word; its hash proves it was the same.

    Photos and PDFs are in it by the hash of their bytes; the hub's own words stand beside it.
    """
    return {
        "title": need.title,
        "text": need.text,
        "language": need.language,
        "place": f"{need.postcode} {need.place}",
        "volume": need.volume,
        "rhythm": need.rhythm,
        "starts_on": need.starts_on.isoformat() if need.starts_on else None,
        "work_place": need.work_place.value,
        "certificates": list(need.certificates),
        "attachments": attachments.manifest(attachments.of_need(desk, need.id)),
        "hub": hub.name,
        **hub_texts.for_content(hub),
    }


def recipients(assessment: Assessment, made: Sequence[BroadcastException]) -> list[Judged]:
    """The eligible set with the written exceptions applied, in order of company id."""
    kinds = {each.company_id: each.kind for each in made}
    return [
        each
        for each in assessment.judged
        if kinds.get(each.company.id) is ExceptionKind.ADDED
        or (each.verdict.eligible and kinds.get(each.company.id) is not ExceptionKind.LEFT_OUT)
    ]


def approve(desk: Desk, need_id: str, *, deadline: datetime | None = None) -> Broadcast:
    """Open the broadcast: eligible set frozen, one lead per company, mails in the outbox.

    Raises Conflict when the need is not waiting, when nobody is eligible, or when there is no
    work in it for a maatwerkbedrijf; Invalid for a deadline that is not ahead.
    """
    # Two coordinators pressing at once: the second waits here and then sees the new state.
    need = leads.hold(desk, authorisation.need_as_coordinator(desk, need_id).id)
    with_steps(desk, need)
    exceptions.require_waiting(need)
    hub = desk.session.get_one(Hub, need.hub_id)
    _hold_capacities(desk)
    assessment = matching.assess(desk, need)
    made = exceptions.of_need(desk, need.id)
    chosen = recipients(assessment, made)
    if assessment.least is not None and not assessment.fits and not made:
        raise Conflict(
            "nothing_fits",
            "no work for a maatwerkbedrijf was found in this need: correct its steps first, "
            "or close it as no fit",
        )
    if not chosen:
        raise Conflict(
            "nobody_eligible",
            "no maatwerkbedrijf is eligible: change the facts, refer it to another hub, "
            "or add a company as an exception",
        )
    released_at = desk.at + RELEASE_DELAY + len(chosen) * RELEASE_DELAY_EACH
    ends = deadline or default_deadline(hub, released_at)
    if ends <= released_at:
        raise Invalid("deadline_past", "deadline: choose a moment ahead", field="deadline")
    if ends > released_at + timedelta(days=hubs.MOST_DEADLINE_DAYS):
        raise Invalid(
            "deadline_far",
            f"deadline: at most {hubs.MOST_DEADLINE_DAYS} days ahead",
            field="deadline",
        )
    content = content_of(desk, need, hub) | {"deadline": ends.isoformat()}
    broadcast = Broadcast(
        need_id=need.id,
        hub_id=hub.id,
        number=1 + _broadcasts(desk, need.id),
        approved_by=desk.actor.person_id or desk.actor.name,
        policy=hub.policy,
        alpha=hub.alpha,
        threshold=assessment.least,
        encoder=desk.runtime.ranker.encoder.identity,
        calibration=assessment.calibration,
        content=content,
        content_hash=content_hash(content),
        released_at=released_at,
        deadline=ends,
        created_at=desk.at,
    )
    desk.session.add(broadcast)
    desk.session.flush()
    need.state = NeedState.OPEN
    need.closed_at = None
    desk.session.add_all(_frozen(broadcast, each) for each in assessment.judged)
    facts = _release_facts(broadcast, made, chosen, assessment.judged)
    ledger.append(desk, broadcast.id, "released", **facts)
    for each in made:
        ledger.append(
            desk,
            broadcast.id,
            "exception",
            company_id=each.company_id,
            kind=each.kind.value,
            reason=each.reason,
        )
    _send_leads(desk, broadcast, need, hub, _companies(desk, chosen))
    audit.record(
        desk, "approve", "need", need.id, hub.id, broadcast_id=broadcast.id, leads=len(chosen)
    )
    notify_firm(desk, need, MessageKind.NOTICE, event="released", note=str(len(chosen)))
    return broadcast


def default_deadline(hub: Hub, released_at: datetime) -> datetime:
    """The hub's usual number of days after release, at the end of that working day."""
    day = released_at.astimezone(BRUSSELS).date() + timedelta(days=hub.deadline_days)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return datetime.combine(day, DEADLINE_HOUR, BRUSSELS)


def _frozen(broadcast: Broadcast, judged: Judged) -> VerdictRow:
    return VerdictRow(
        broadcast_id=broadcast.id,
        company_id=judged.company.id,
        eligible=judged.verdict.eligible,
        reasons=[reason.as_dict() for reason in judged.verdict.reasons],
        match=judged.match.as_dict(),
    )


def _verdict_facts(judged: Judged) -> dict[str, Any]:
    """How the ledger holds a verdict: by its hash, so that a later change of the row shows."""
    reasons = [reason.as_dict() for reason in judged.verdict.reasons]
    match = judged.match.as_dict()
    return {
        "company_id": judged.company.id,
        "eligible": judged.verdict.eligible,
        "hash": proof.verdict_hash(judged.company.id, judged.verdict.eligible, reasons, match),
    }


def _release_facts(
    broadcast: Broadcast,
    made: Sequence[BroadcastException],
    chosen: Sequence[Judged],
    judged: Sequence[Judged],
) -> dict[str, Any]:
    return {
        "id": broadcast.id,
        "need_id": broadcast.need_id,
        "hub_id": broadcast.hub_id,
        "number": broadcast.number,
        "content_hash": broadcast.content_hash,
        "released_at": broadcast.released_at.astimezone(UTC).isoformat(),
        "deadline": broadcast.deadline.astimezone(UTC).isoformat(),
        "policy": broadcast.policy.value,
        "alpha": broadcast.alpha,
        "threshold": broadcast.threshold,
        "encoder": broadcast.encoder,
        "calibration": broadcast.calibration,
        "recipients": sorted(each.company.id for each in chosen),
        "verdicts": [_verdict_facts(each) for each in judged],
        "exceptions": [{"company_id": each.company_id, "kind": each.kind.value} for each in made],
    }


def _send_leads(
    desk: Desk,
    broadcast: Broadcast,
    need: Need,
    hub: Hub,
    companies: Sequence[Company],
    *,
    late: bool = False,
) -> list[Lead]:
    """One lead and one mail per company, handed over in an order permuted per need."""
    by_id = {company.id: company for company in companies}
    due_at = desk.at if late else broadcast.released_at
    sent = [
        Lead(
            id=new_id(),
            broadcast_id=broadcast.id,
            need_id=need.id,
            company_id=company_id,
            late=late,
            created_at=desk.at,
        )
        for company_id in neutral_order(need.id, by_id)
    ]
    desk.session.add_all(sent)
    desk.session.flush()
    events = []
    also = colleagues.copied(desk, list(by_id))
    for rank, lead in enumerate(sent):
        company = by_id[lead.company_id]
        for to in also.get(company.id, ()):
            colleagues.copy_lead(desk, broadcast, lead, company, to, due_at, rank)
        if company.email is None:
            details: dict[str, Any] = {"company_id": company.id, "late": late}
            events.append(ledger.Event("no_address", desk.at, lead.id, details))
            continue
        mail_at = digests.mail_moment(company, due_at)
        message = outbox.queue(
            desk,
            MessageKind.LEAD,
            outbox.Recipient(company.email, company.name, company.language),
            need_id=need.id,
            lead_id=lead.id,
            due_at=mail_at,
            rank=rank,
            content=broadcast.content,
            deadline=broadcast.deadline,
            hub=hub,
            late=late,
            link=links.lead_link(desk, lead),
        )
        details = {"company_id": company.id, "message_id": message.message_id, "late": late}
        if mail_at != due_at:
            details["daily"] = mail_at.astimezone(UTC).isoformat()
        events.append(ledger.Event("queued", desk.at, lead.id, details))
    ledger.append_all(desk, broadcast.id, events)
    facts = {"late": late, "content": broadcast.content}
    webhooks.tell(desk, "lead.released", need, [(lead, facts) for lead in sent], at=due_at)
    return sent


def _companies(desk: Desk, judged: Sequence[Judged]) -> Sequence[Company]:
    ids = [each.company.id for each in judged]
    return desk.session.scalars(select(Company).where(Company.id.in_(ids))).all()


def joining(desk: Desk, broadcast: Broadcast) -> list[Judged]:
    """The companies that have become eligible while the need is open and have no lead yet."""
    need = desk.session.get_one(Need, broadcast.need_id)
    if need.state is not NeedState.OPEN or broadcast.deadline <= desk.at:
        return []
    with_steps(desk, need)
    left_out = {
        each.company_id
        for each in exceptions.of_need(desk, need.id)
        if each.kind is ExceptionKind.LEFT_OUT
    }
    have = set(
        desk.session.scalars(select(Lead.company_id).where(Lead.broadcast_id == broadcast.id))
    )
    eligible = matching.assess(desk, need).eligible
    return [each for each in eligible if each.company.id not in have | left_out]


def add_late_joiners(desk: Desk, broadcast: Broadcast) -> list[Lead]:
    """Companies that have become eligible while the need is open receive it too, marked late."""
    leads.hold(desk, broadcast.need_id)
    _hold_capacities(desk)
    late = joining(desk, broadcast)
    if not late:
        return []
    need = desk.session.get_one(Need, broadcast.need_id)
    hub = desk.session.get_one(Hub, broadcast.hub_id)
    frozen = {
        row.company_id: row
        for row in desk.session.scalars(
            select(VerdictRow).where(VerdictRow.broadcast_id == broadcast.id)
        )
    }
    for each in late:
        # The row shows the verdict that counts now; the ledger keeps the one it replaces.
        old, new = frozen.get(each.company.id), _frozen(broadcast, each)
        was = None
        if old is None:
            desk.session.add(new)
        else:
            was = {"eligible": old.eligible, "reasons": old.reasons, "match": old.match}
            old.eligible, old.reasons, old.match = new.eligible, new.reasons, new.match
        ledger.append(desk, broadcast.id, "became_eligible", was=was, **_verdict_facts(each))
    joined = _send_leads(desk, broadcast, need, hub, _companies(desk, late), late=True)
    audit.record(desk, "late_joiners", "need", need.id, hub.id, leads=len(joined))
    return joined


def _hold_capacities(desk: Desk) -> None:
    """Needs released at the same moment may not fill a company above what it wants together.

    Whoever comes second waits here, and then counts the leads of the first.
    """
    desk.session.execute(
        select(Company.id)
        .where(Company.max_open_leads.is_not(None))
        .order_by(Company.id)
        .with_for_update(key_share=True)
    )


def _broadcasts(desk: Desk, need_id: str) -> int:
    return desk.session.scalar(select(func.count()).where(Broadcast.need_id == need_id)) or 0
