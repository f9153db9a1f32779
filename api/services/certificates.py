"""Certificates of a company with their last valid days, and a mail before one ends."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import select

from api.errors import Invalid
from api.services import audit, authorisation, colleagues, companies, outbox
from api.services.desk import Desk
from models import Certificate, Company, now
from models.message import MessageKind

REMIND_BEFORE = timedelta(days=60)  # an audit for a new one takes weeks


def set_all(
    desk: Desk, company_id: str, certificates: Sequence[tuple[str, date | None]]
) -> Company:
    """The certificates a company holds: (code, last valid day), replacing all.

    Raises Invalid for an unknown code.
    """
    authorisation.company_to_edit(desk, company_id)
    company = companies.load(desk, company_id)
    for code, _ in certificates:
        if code not in desk.runtime.certificates:
            raise Invalid(
                "unknown_certificate",
                f"certificates: no certificate {code!r}; known are "
                f"{', '.join(sorted(desk.runtime.certificates))}",
                field="certificates",
            )
    wanted = dict(certificates)
    held = {each.code: each for each in company.certificates}
    before = {code: _day(each.valid_until) for code, each in held.items()}
    for code, each in held.items():
        if code not in wanted:
            company.certificates.remove(each)
        elif each.valid_until != wanted[code]:
            each.valid_until, each.reminded_at = wanted[code], None
    company.certificates.extend(
        Certificate(code=code, valid_until=until)
        for code, until in wanted.items()
        if code not in held
    )
    after = {code: _day(until) for code, until in wanted.items()}
    companies.looked_through(desk, company, after != before)
    if after != before:
        company.updated_at = now()
        audit.record(desk, "set_certificates", "company", company.id, before=before, after=after)
    desk.session.flush()
    return companies.load(desk, company_id)


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def ending(desk: Desk) -> Sequence[str]:
    """The certificates that end soon and were not told about yet; only reads."""
    return desk.session.scalars(
        select(Certificate.id)
        .join(Company)
        .where(
            Company.active,
            Certificate.reminded_at.is_(None),
            Certificate.valid_until >= desk.today,
            Certificate.valid_until <= desk.today + REMIND_BEFORE,
        )
        .order_by(Certificate.id)
    ).all()


def remind(desk: Desk, certificate_id: str) -> None:
    """Tell the company, once, that a certificate ends."""
    found = desk.session.get_one(Certificate, certificate_id, with_for_update=True)
    if found.reminded_at is not None:
        return
    found.reminded_at = desk.at
    company = desk.session.get_one(Company, found.company_id)
    base = desk.runtime.settings.base_url
    path = f"/companies/{company.id}/edit#certificates"
    for to in colleagues.recipients(desk, company):
        outbox.queue(
            desk,
            MessageKind.EXPIRY,
            to,
            name=desk.runtime.certificates[found.code][to.language],
            until=found.valid_until,
            link=f"{base}{path}",
        )
    audit.record(desk, "remind_certificate", "company", company.id, code=found.code)
