"""People, their roles, and the actor they are when they ask for something."""

from collections.abc import Sequence

from sqlalchemy import select

from api.services import audit, authorisation, checks
from api.services.desk import Actor, Desk
from models import Membership, Person
from models.person import Role


def find_or_add(desk: Desk, email: str, *, name: str = "", language: str = "nl") -> Person:
    """The person with this mail address, made when new. Raises Invalid on a bad address."""
    address = checks.email(email)
    person = desk.session.scalar(select(Person).where(Person.email == address))
    if person is None:
        person = Person(email=address, name=name, language=language)
        desk.session.add(person)
        desk.session.flush()
    return person


def add_role(
    desk: Desk,
    person: Person,
    *,
    hub_id: str | None = None,
    firm_id: str | None = None,
    company_id: str | None = None,
) -> Membership:
    """Give a person a role for exactly one hub, firm or company; once is enough."""
    held = desk.session.scalar(
        select(Membership).where(
            Membership.person_id == person.id,
            Membership.hub_id.is_(None) if hub_id is None else Membership.hub_id == hub_id,
            Membership.firm_id.is_(None) if firm_id is None else Membership.firm_id == firm_id,
            Membership.company_id.is_(None)
            if company_id is None
            else Membership.company_id == company_id,
        )
    )
    if held is not None:
        return held
    role = Role.COORDINATOR if hub_id else Role.FIRM if firm_id else Role.COMPANY
    membership = Membership(
        person_id=person.id, role=role, hub_id=hub_id, firm_id=firm_id, company_id=company_id
    )
    desk.session.add(membership)
    desk.session.flush()
    audit.record(desk, "add_role", "person", person.id, hub_id, role=role.value)
    return membership


def add_coordinator(desk: Desk, hub_id: str, email: str, name: str = "") -> Membership:
    """Let a person coordinate a hub. Raises NotFound for others than its coordinators, Invalid
    for a bad mail address."""
    hub = authorisation.hub_to_edit(desk, hub_id)
    address = checks.email(email, "person_email")
    person = find_or_add(
        desk, address, name=checks.line(name, "person_name", most=200), language=hub.language
    )
    return add_role(desk, person, hub_id=hub.id)


def remove_role(desk: Desk, membership: Membership) -> None:
    """Take a role away; the person keeps the others."""
    audit.record(
        desk,
        "remove_role",
        "person",
        membership.person_id,
        membership.hub_id,
        role=membership.role.value,
    )
    desk.session.delete(membership)


def memberships(desk: Desk, person_id: str) -> Sequence[Membership]:
    return desk.session.scalars(
        select(Membership).where(Membership.person_id == person_id).order_by(Membership.id)
    ).all()


def actor_of(
    desk: Desk, person: Person, *, only: str | None = None, scopes: frozenset[str] | None = None
) -> Actor:
    """The person as an actor, with all roles or `only` one membership (an API token's)."""
    held = [each for each in memberships(desk, person.id) if only in (None, each.id)]
    return Actor(
        name=person.id,
        person_id=person.id,
        email=person.email,
        language=person.language,
        hubs=frozenset(each.hub_id for each in held if each.hub_id),
        firms=frozenset(each.firm_id for each in held if each.firm_id),
        companies=frozenset(each.company_id for each in held if each.company_id),
        scopes=scopes,
    )


def coordinators(desk: Desk, hub_id: str) -> Sequence[Person]:
    """The people who coordinate a hub."""
    return desk.session.scalars(
        select(Person).join(Membership).where(Membership.hub_id == hub_id).order_by(Person.id)
    ).all()


def of_company(desk: Desk, company_id: str) -> Sequence[Person]:
    """The people who get mail for a company beside its own address."""
    return desk.session.scalars(
        select(Person)
        .join(Membership)
        .where(Membership.company_id == company_id)
        .order_by(Person.id)
    ).all()
