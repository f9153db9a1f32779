"""Firms: whose a need is. Who types an address or a public number proves nothing by it."""

from sqlalchemy import select

from api.errors import Invalid
from api.services import checks, people
from api.services.desk import Desk
from matcher.places import Place
from models import Firm, Membership, Need, Person


def with_member(desk: Desk, firm_id: str, email: str) -> tuple[Firm, Person]:
    """The firm and the member of it that is the contact. Raises Invalid for anyone else."""
    firm = desk.session.get_one(Firm, firm_id)
    address = checks.email(email, "contact_email")
    member = desk.session.scalar(
        select(Person)
        .join(Membership)
        .where(Membership.firm_id == firm.id, Person.email == address)
    )
    if member is not None:
        return firm, member
    raise Invalid(
        "contact_no_member",
        f"contact_email: {address} is no member of {firm.name}; name one who is",
        field="contact_email",
    )


def with_contact(
    desk: Desk,
    *,
    name: str,
    kbo: str,
    email: str,
    contact_name: str,
    language: str,
    place: Place,
) -> tuple[Firm, Person]:
    """The firm that somebody typed and its contact; a firm of the contact's own when it has one.

    A new firm has no members and no KBO number until :func:`claim`. Raises Invalid.
    """
    number = checks.kbo(kbo)
    address = checks.email(email, "contact_email")
    words = checks.line(name, "firm_name", least=1, most=200)
    person = people.find_or_add(desk, address, name=contact_name.strip(), language=language)
    firm = _held(desk, person, words, number)
    if firm is None:
        firm = Firm(
            name=words,
            claimed_kbo=number,
            email=address,
            language=language,
            postcode=place.postcode,
            nis=place.nis,
        )
        desk.session.add(firm)
        desk.session.flush()
    return firm, person


def claim(desk: Desk, need: Need) -> None:
    """The contact's address is proven: it belongs to the firm, which gets its KBO number.

    Not when another firm has that number: who types one does not thereby become that firm.
    """
    firm = desk.session.get_one(Firm, need.firm_id)
    person = people.find_or_add(desk, need.contact_email, language=need.language)
    if firm.id not in _firms_of(desk, person):
        same = _held(desk, person, firm.name, firm.claimed_kbo)
        if same is not None:  # another need of the same firm was confirmed meanwhile
            need.firm_id = same.id
            desk.session.flush()
            desk.session.delete(firm)
            return
        people.add_role(desk, person, firm_id=firm.id)
    claimed, firm.claimed_kbo = firm.claimed_kbo, None
    if claimed and firm.kbo is None:
        taken = desk.session.scalar(select(Firm.id).where(Firm.kbo == claimed))
        firm.kbo = None if taken else claimed


def _held(desk: Desk, person: Person, name: str, kbo: str | None) -> Firm | None:
    """The firm of this name, else of this KBO number, in which the person has a role already."""
    mine = select(Firm).where(Firm.id.in_(_firms_of(desk, person)))
    firm = desk.session.scalar(mine.where(Firm.name == name).order_by(Firm.id).limit(1))
    if firm is None and kbo:
        firm = desk.session.scalar(mine.where(Firm.kbo == kbo))
    return firm


def _firms_of(desk: Desk, person: Person) -> set[str]:
    return {each.firm_id for each in people.memberships(desk, person.id) if each.firm_id}
