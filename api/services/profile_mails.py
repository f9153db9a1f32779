"""A profile that nobody looked at for a year: a mail that asks whether all of it still holds.

By itself at most once in half a year, and once a month when a coordinator asks for it; one link,
on which one says that all is right, goes on to the profile, or stops these mails.
"""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select

from api.errors import Conflict, Gone, NotFound
from api.services import audit, authorisation, colleagues, companies, links, outbox
from api.services.desk import Actor, Desk
from models import Company
from models.company import Recognition
from models.message import MessageKind

STALE = timedelta(days=365)
AGAIN = timedelta(days=182)  # before the same company is asked by itself once more
BY_HAND = timedelta(days=30)  # before a coordinator may ask it once more


def is_stale(desk: Desk) -> ColumnElement[bool]:
    """Of companies: nothing of the profile or the offers was looked at for a year."""
    return Company.checked_at < desk.at - STALE


def due(desk: Desk) -> Sequence[str]:
    """The companies to be asked now; only reads."""
    return desk.session.scalars(
        select(Company.id)
        .where(
            is_stale(desk),
            Company.active,
            Company.recognition == Recognition.RECOGNISED,
            Company.wants_profile_mail,
            Company.email.is_not(None),
            Company.email_bounced_at.is_(None),
            or_(Company.reminded_at.is_(None), Company.reminded_at < desk.at - AGAIN),
        )
        .order_by(Company.id)
    ).all()


def remind(desk: Desk, company_id: str) -> None:
    """Ask a company of :func:`due`; nothing when it was asked or looked meanwhile."""
    company = desk.session.get_one(Company, company_id, with_for_update=True)
    if company.id in due(desk):
        _send(desk, company)


def may_ask(desk: Desk, company: Company) -> bool:
    """Whether a coordinator may have a stale company asked now."""
    return (
        company.wants_profile_mail
        and company.email is not None
        and company.email_bounced_at is None
        and (company.reminded_at is None or company.reminded_at < desk.at - BY_HAND)
    )


def ask(desk: Desk, company_id: str) -> Company:
    """Ask a company at a coordinator's wish.

    Raises NotAllowed for others; Conflict when it was looked at within the year, does not want
    this mail, has no address that works, or was asked within the month.
    """
    authorisation.require_any_coordinator(desk.actor)
    company = desk.session.get(Company, company_id, with_for_update=True)
    if company is None:
        raise NotFound("company_not_found", "there is no such maatwerkbedrijf")
    if company.checked_at >= desk.at - STALE:
        raise Conflict("profile_fresh", "this profile was looked at less than a year ago")
    if not may_ask(desk, company):
        raise Conflict(
            "not_to_be_asked",
            "this maatwerkbedrijf was asked within the month, does not want this mail, or has no "
            "mail address that works",
        )
    _send(desk, company)
    return company


def _send(desk: Desk, company: Company) -> None:
    company.reminded_at = desk.at
    for to in colleagues.recipients(desk, company):
        outbox.queue(
            desk,
            MessageKind.PROFILE,
            to,
            company=company.name,
            checked_at=company.checked_at,
            link=link(desk, company, desk.at),
        )
    audit.record(desk, "remind_profile", "company", company.id)


def link(desk: Desk, company: Company, asked_at: datetime) -> str:
    """The address in the mail; a newer mail, and half a year, make it worthless."""
    subject = f"{company.id}.{int(asked_at.timestamp())}"
    signature = links.sign(desk, "profile", subject)
    return f"{desk.runtime.settings.base_url}/still-right/{subject}.{signature}"


def company_of(desk: Desk, token: str) -> Company:
    """The company of a link, loaded whole. Raises NotFound (forged) or Gone (replaced, old)."""
    company_id, _, rest = token.partition(".")
    moment, _, signature = rest.partition(".")
    expected = links.sign(desk, "profile", f"{company_id}.{moment}")
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        raise NotFound("bad_link", "this link is not complete; copy the whole link from the mail")
    company = companies.load(desk, company_id)
    asked, profile = company.reminded_at, f"/companies/{company.id}/edit"
    if asked is None or str(int(asked.timestamp())) != moment:
        raise Gone("link_replaced", "this link was replaced; use the newest mail", next=profile)
    if desk.at > asked + AGAIN:
        raise Gone("profile_link_expired", "this link has expired; sign in", next=profile)
    return company


def confirm(desk: Desk, company_id: str) -> Company:
    """All of it still holds; for the company itself and for coordinators."""
    company = authorisation.company_to_edit(desk, company_id)
    company.checked_at = desk.at
    audit.record(desk, "confirm_profile", "company", company.id)
    return company


def confirm_by_link(desk: Desk, token: str) -> Company:
    """The same by whoever holds the mail."""
    return confirm(*_by_link(desk, token))


def stop_by_link(desk: Desk, token: str) -> Company:
    """No such mails any more; the profile switches them on again."""
    return companies.change(*_by_link(desk, token), wants_profile_mail=False)


def _by_link(desk: Desk, token: str) -> tuple[Desk, str]:
    company_id = company_of(desk, token).id
    return desk.as_actor(Actor("profile_link", companies=frozenset({company_id}))), company_id
