"""The people of a company: who may work in its room, and who gets its mail beside its address."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from api.errors import Conflict, Invalid, NotFound
from api.services import audit, authorisation, checks, digests, links, outbox, people, signin
from api.services.desk import Desk
from models import Broadcast, Company, Lead, Membership, Person
from models.message import MessageKind


def of_company(desk: Desk, company_id: str) -> Sequence[tuple[Membership, Person]]:
    """Everybody with a role in a company, by mail address. Raises NotFound, NotAllowed."""
    authorisation.company_itself(desk, company_id)
    return _all(desk, company_id)


def _all(desk: Desk, company_id: str) -> Sequence[tuple[Membership, Person]]:
    rows = desk.session.execute(
        select(Membership, Person)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.company_id == company_id)
        .order_by(Person.email)
    )
    return [(membership, person) for membership, person in rows]


def invite(
    desk: Desk, company_id: str, email: str, *, name: str = "", wants_leads: bool = False
) -> Membership:
    """Let somebody work for a company; a mail tells so, with a link that signs in.

    The company's own people invite; a coordinator only the first one, because who is in answers
    in the company's name. Raises Invalid for a bad address or somebody who is in already,
    NotAllowed for others.
    """
    company = authorisation.company_to_edit(desk, company_id)
    if _all(desk, company_id):
        authorisation.company_itself(desk, company_id)
    address = checks.email(email, "person_email")
    words = checks.line(name, "person_name", most=200)
    person = people.find_or_add(desk, address, name=words, language=company.language)
    if any(each.company_id == company_id for each in people.memberships(desk, person.id)):
        raise Invalid(
            "colleague_already",
            f"person_email: {address} has this role already",
            field="person_email",
        )
    membership = people.add_role(desk, person, company_id=company_id)
    membership.wants_leads = wants_leads
    outbox.queue(
        desk,
        MessageKind.INVITE,
        outbox.Recipient(person.email, person.name, person.language),
        company=company.name,
        wants_leads=wants_leads,
        link=signin.new_link(desk, person, "/leads", lasts=signin.MAIL_LINK),
    )
    audit.record(desk, "invite", "company", company_id, person_id=person.id)
    return membership


def change_wish(desk: Desk, company_id: str, membership_id: str, wants_leads: bool) -> Membership:
    """Whether a colleague gets the leads and what follows too. Raises NotFound."""
    membership = _find(desk, company_id, membership_id)
    membership.wants_leads = wants_leads
    audit.record(
        desk, "change_mail", "company", company_id, person_id=membership.person_id, on=wants_leads
    )
    return membership


def remove(desk: Desk, company_id: str, membership_id: str) -> None:
    """Take a colleague's role away, with its API tokens. Raises Conflict for the last one."""
    membership = _find(desk, company_id, membership_id)
    if len(_all(desk, company_id)) < 2:
        raise Conflict("last_colleague", "a maatwerkbedrijf keeps at least one person")
    audit.record(desk, "remove_person", "company", company_id, person_id=membership.person_id)
    people.remove_role(desk, membership)


def recipients(desk: Desk, company: Company) -> list[outbox.Recipient]:
    """Who gets a mail for a company: its own address first, then colleagues who want it."""
    own = company.email
    first = [] if own is None else [outbox.Recipient(own, company.name, company.language)]
    return first + copied(desk, [company.id]).get(company.id, [])


def copied(desk: Desk, company_ids: Sequence[str]) -> dict[str, list[outbox.Recipient]]:
    """Company id -> the colleagues who get its leads too, but for its own address."""
    rows = desk.session.execute(
        select(Membership.company_id, Company.email, Person)
        .join(Person, Person.id == Membership.person_id)
        .join(Company, Company.id == Membership.company_id)
        .where(Membership.company_id.in_(company_ids), Membership.wants_leads)
        .order_by(Person.email)
    )
    found: dict[str, list[outbox.Recipient]] = {}
    for company_id, own, person in rows:
        if person.email != own:
            to = outbox.Recipient(person.email, person.name, person.language)
            found.setdefault(company_id or "", []).append(to)
    return found


def copy_lead(
    desk: Desk,
    broadcast: Broadcast,
    lead: Lead,
    company: Company,
    to: outbox.Recipient,
    due_at: datetime,
    rank: int,
) -> None:
    """The same lead for a colleague who wants it, never before the company's own mail is due."""
    outbox.queue(
        desk,
        MessageKind.LEAD_COPY,
        to,
        need_id=broadcast.need_id,
        lead_id=lead.id,
        due_at=digests.mail_moment(company, due_at),
        rank=rank,
        content=broadcast.content,
        deadline=broadcast.deadline,
        late=lead.late,
        company=company.name,
        link=links.lead_link(desk, lead),
    )


def _find(desk: Desk, company_id: str, membership_id: str) -> Membership:
    authorisation.company_itself(desk, company_id)
    found = desk.session.get(Membership, membership_id)
    if found is None or found.company_id != company_id:
        raise NotFound("role_not_found", "there is no such role of yours")
    return found
