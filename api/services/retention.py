"""What is kept of people, why and how long; anonymising what is old; export and erase."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update

from api.errors import Conflict, NotFound
from api.services import audit, people, privacy
from api.services.desk import Desk
from models import (
    Answer,
    ApiToken,
    Attachment,
    AuditEntry,
    BrowserSession,
    Firm,
    IdempotentResponse,
    Lead,
    Meeting,
    MeetingOption,
    Membership,
    Message,
    Need,
    Note,
    Person,
    Question,
    SignInLink,
    WebhookDelivery,
)
from models.message import MessageState
from models.states import NeedState
from models.webhook import DeliveryState

GONE = "weg@anoniem.invalid"  # RFC 2606: no mail ever reaches this domain
NOBODY = "(geanonimiseerd)"
CLOSED = (
    NeedState.CHOSEN, NeedState.NONE_CHOSEN, NeedState.REFERRED, NeedState.NO_FIT,
    NeedState.WITHDRAWN,
)  # fmt: skip


def expired(desk: Desk) -> Sequence[str]:
    """The closed needs that are past their time and not yet anonymised; only reads."""
    limit = desk.at - timedelta(days=desk.runtime.settings.retention_days)
    return desk.session.scalars(
        select(Need.id)
        .where(Need.state.in_(CLOSED), Need.closed_at < limit, Need.contact_email != GONE)
        .order_by(Need.id)
    ).all()


def anonymise(desk: Desk, need_id: str) -> None:
    """Take the people out of a closed need; what proves neutrality stays.

    The text of the need stays as its hash is in the ledger; names, addresses, notes, questions
    and the mails themselves go.
    """
    need = desk.session.get_one(Need, need_id, with_for_update={"key_share": True})
    need.contact_name, need.contact_email, need.contact_phone = NOBODY, GONE, None
    need.state_note = ""
    desk.session.flush()
    leads = select(Lead.id).where(Lead.need_id == need_id)
    for statement in (
        update(Answer).where(Answer.lead_id.in_(leads)).values(note="", available_from=""),
        update(Question).where(Question.need_id == need_id).values(text=NOBODY, answer=None),
        update(Meeting).where(Meeting.need_id == need_id).values(place=""),
        update(MeetingOption).where(MeetingOption.need_id == need_id).values(place="", note=""),
        delete(Attachment).where(Attachment.need_id == need_id),
        delete(Note).where(Note.need_id == need_id),
        _empty_mails().where(or_(Message.need_id == need_id, Message.lead_id.in_(leads))),
    ):
        desk.session.execute(statement.execution_options(synchronize_session="fetch"))
    audit.record(desk, "anonymise", "need", need.id, need.hub_id)


def _empty_mails() -> Any:
    return update(Message).values(
        to_email=GONE, to_name="", subject="", text="", html="", attachment=None, headers={},
        reply="", error="",
    )  # fmt: skip


def outdated(desk: Desk) -> Sequence[str]:
    """The tables that hold mails, links, sessions or kept answers past their time; only reads."""
    return [
        name
        for name, (model, old) in _old(desk).items()
        if desk.session.scalar(select(model.id).where(old).limit(1)) is not None
    ]


def tidy(desk: Desk, name: str) -> None:
    """Delete what :func:`outdated` found in one table; of mails the row stays, without a person."""
    model, old = _old(desk)[name]
    statement = _empty_mails() if model is Message else delete(model)
    desk.session.execute(statement.where(old).execution_options(synchronize_session=False))


def _old(desk: Desk) -> dict[str, tuple[Any, Any]]:
    month, week = desk.at - timedelta(days=30), desk.at - timedelta(days=7)
    drafts = select(Need.id).where(Need.state == NeedState.DRAFT)
    return {
        "attachment": (
            Attachment,
            (Attachment.need_id.is_(None) & (Attachment.created_at < desk.at - timedelta(days=1)))
            | (Attachment.need_id.in_(drafts) & (Attachment.created_at < month)),
        ),
        # Mails about a need go with it; these are about a company, a person or several needs.
        "message": (
            Message,
            Message.need_id.is_(None)
            & Message.lead_id.is_(None)
            & (Message.created_at < desk.at - timedelta(days=desk.runtime.settings.retention_days))
            & (Message.state != MessageState.DUE)
            & (Message.to_email != GONE),
        ),
        "note": (Note, Note.removed_at < month),
        "sign_in_link": (SignInLink, SignInLink.expires_at < month),
        "browser_session": (BrowserSession, BrowserSession.expires_at < month),
        "idempotent_response": (IdempotentResponse, IdempotentResponse.created_at < week),
        "webhook_delivery": (
            WebhookDelivery,
            (WebhookDelivery.created_at < month) & (WebhookDelivery.state != DeliveryState.DUE),
        ),
    }


def export(desk: Desk, person_id: str) -> dict[str, Any]:
    """Everything that is kept about a person, as JSON. Raises NotFound for anybody else."""
    person = _self(desk, person_id)
    rows: dict[str, Sequence[Any]] = {
        "memberships": desk.session.scalars(
            select(Membership).where(Membership.person_id == person.id)
        ).all(),
        "sessions": desk.session.scalars(
            select(BrowserSession).where(BrowserSession.person_id == person.id)
        ).all(),
        "needs": desk.session.scalars(select(Need).where(Need.contact_email == person.email)).all(),
        "privacy_texts": privacy.shown_to(desk, person.email),
        "attachments": desk.session.scalars(
            select(Attachment).join(Need).where(Need.contact_email == person.email)
        ).all(),
        "mails": desk.session.scalars(
            select(Message).where(Message.to_email == person.email)
        ).all(),
        "notes": desk.session.scalars(select(Note).where(Note.author_id == person.id)).all(),
        "deeds": desk.session.scalars(
            select(AuditEntry).where(AuditEntry.actor == person.id)
        ).all(),
    }
    return {
        "person": _facts(person),
        **{name: [_facts(each) for each in found] for name, found in rows.items()},
    }


_SECRET = frozenset({"token_hash", "csrf", "leased_by", "leased_until"})
_BYTES = frozenset({"content", "small"})  # of a file: its owner finds it on the need's page


def _facts(row: Any) -> dict[str, Any]:
    values = {
        column.key: getattr(row, column.key)
        for column in row.__table__.columns
        if column.key not in _SECRET | _BYTES
    }
    return {
        key: value.isoformat() if hasattr(value, "isoformat") else value
        for key, value in values.items()
    }


def erase(desk: Desk, person_id: str) -> None:
    """Erase a person at their own wish; the number in the audit trail stays, without a name.

    Raises Conflict while a need of theirs is still under way: withdraw it first.
    """
    person = _self(desk, person_id)
    needs = desk.session.scalars(select(Need).where(Need.contact_email == person.email)).all()
    if any(need.state not in CLOSED for need in needs):
        raise Conflict("need_underway", "withdraw or finish your open needs first")
    for need in needs:
        anonymise(desk, need.id)
    for role in desk.session.scalars(select(Membership).where(Membership.person_id == person.id)):
        if role.hub_id is not None and len(people.coordinators(desk, role.hub_id)) < 2:
            raise Conflict("last_coordinator", "name another coordinator of your hub first")
    address = person.email
    for model in (BrowserSession, SignInLink):
        desk.session.execute(delete(model).where(model.person_id == person.id))
    mine = select(Membership.id).where(Membership.person_id == person.id)
    tokens = select(ApiToken.id).where(ApiToken.membership_id.in_(mine))
    desk.session.execute(delete(IdempotentResponse).where(IdempotentResponse.caller.in_(tokens)))
    desk.session.execute(delete(ApiToken).where(ApiToken.membership_id.in_(mine)))
    desk.session.execute(delete(Membership).where(Membership.person_id == person.id))
    desk.session.execute(update(Firm).where(Firm.email == address).values(email=GONE, phone=None))
    desk.session.execute(
        update(Message)
        .where(Message.to_email == address, Message.state == MessageState.DUE)
        .values(state=MessageState.CANCELLED)
    )
    desk.session.execute(_empty_mails().where(Message.to_email == address))
    person.email, person.name = f"{person.id.lower()}@anoniem.invalid", ""
    person.email_proven_at = None
    audit.record(desk, "erase", "person", person.id)


def _self(desk: Desk, person_id: str) -> Person:
    person = desk.session.get(Person, person_id)
    if person is None or desk.actor.person_id != person_id:
        raise NotFound("person_not_found", "you can only see or erase your own data")
    return person
