"""Companies (maatwerkbedrijven): what they say of themselves, sites, absence and capacity."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from api.errors import Conflict, Invalid, NotFound
from api.services import audit, authorisation, checks
from api.services.desk import IMPORT, Desk
from models import Absence, Company, Site, now
from models.company import Delivery, Recognition

MOST_RADIUS_KM = 300


def load(desk: Desk, company_id: str) -> Company:
    """A company with sites, certificates and absences. Raises NotFound."""
    company = desk.session.get(
        Company,
        company_id,
        options=[
            selectinload(Company.sites),
            selectinload(Company.certificates),
            selectinload(Company.absences),
        ],
        populate_existing=True,
    )
    if company is None:
        raise NotFound("company_not_found", "there is no such maatwerkbedrijf")
    return company


def add(
    desk: Desk,
    *,
    name: str,
    places: Sequence[tuple[str, str]],
    email: str = "",
    kbo: str = "",
    language: str = "nl",
    phone: str = "",
    website: str = "",
    description: str = "",
    recognition: Recognition = Recognition.RECOGNISED,
    service_radius_km: float = 30,
    max_open_leads: int | None = None,
    external_id: str | None = None,
) -> Company:
    """A new company with its sites: (postcode and/or place, street). For coordinators.

    Raises Invalid with the field that is wrong, Conflict for a KBO number already there.
    """
    authorisation.require_any_coordinator(desk.actor)
    number = checks.kbo(kbo)
    if number and desk.session.scalar(select(Company.id).where(Company.kbo == number)):
        raise Conflict("kbo_taken", f"kbo: {kbo} is already a maatwerkbedrijf here", field="kbo")
    company = Company(
        name=checks.line(name, "name", least=1, most=200),
        kbo=number,
        email=checks.email(email) if email.strip() else None,
        language=checks.language(language),
        phone=checks.line(phone, "phone", most=40) or None,
        website=_website(website),
        description=checks.text(description, "description", least=0),
        recognition=recognition,
        service_radius_km=radius(service_radius_km, "service_radius_km"),
        max_open_leads=_capacity(max_open_leads),
        external_id=external_id,
        sites=[_site(desk, place, street) for place, street in places],
        certificates=[],
        absences=[],
        created_at=desk.at,
        checked_at=desk.at,
    )
    if not company.sites:
        raise Invalid("missing", "sites: give at least one site with a postcode", field="sites")
    desk.session.add(company)
    desk.session.flush()
    audit.record(desk, "add", "company", company.id)
    return company


def change(
    desk: Desk,
    company_id: str,
    *,
    name: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    website: str | None = None,
    description: str | None = None,
    language: str | None = None,
    languages: Sequence[str] | None = None,
    service_radius_km: float | None = None,
    delivery: Delivery | None = None,
    wants_reminders: bool | None = None,
    wants_profile_mail: bool | None = None,
) -> Company:
    """What the company says about itself; only what is given changes."""
    company = authorisation.company_to_edit(desk, company_id)
    changes: dict[str, object] = {}
    if name is not None:
        changes["name"] = checks.line(name, "name", least=1, most=200)
    if email is not None:
        changes["email"] = checks.email(email) if email.strip() else None
        # A person who keeps an address has looked at it; a table that is imported again has not.
        if changes["email"] != company.email or desk.actor is not IMPORT:
            changes["email_bounced_at"] = None
    if phone is not None:
        changes["phone"] = checks.line(phone, "phone", most=40) or None
    if website is not None:
        changes["website"] = _website(website)
    if description is not None:
        changes["description"] = checks.text(description, "description", least=0)
    if language is not None:
        changes["language"] = checks.language(language)
    if languages is not None:
        changes["languages"] = [checks.spoken(code) for code in dict.fromkeys(languages)]
    if service_radius_km is not None:
        changes["service_radius_km"] = radius(service_radius_km, "service_radius_km")
    if delivery is not None:
        changes["delivery"] = delivery
    if wants_reminders is not None:
        changes["wants_reminders"] = wants_reminders
    if wants_profile_mail is not None:
        changes["wants_profile_mail"] = wants_profile_mail
    changed = sorted(name for name, value in changes.items() if getattr(company, name) != value)
    for name in changed:
        setattr(company, name, changes[name])
    looked_through(desk, company, bool(changed))
    if changed:
        audit.record(desk, "change", "company", company.id, changed=changed)
    return company


def looked_through(desk: Desk, company: Company, changed: bool) -> None:
    """Note that somebody looked at what a company says of itself.

    A person who saves has looked, also when nothing changed; a list that is imported again has
    not, and neither has who only stops a mail.
    """
    if desk.actor.person_id is not None or (changed and desk.actor is IMPORT):
        company.checked_at = desk.at


def set_recognition(desk: Desk, company_id: str, recognition: Recognition) -> Company:
    """Recognition is a fact the hub keeps, not the company. Raises NotAllowed for others."""
    authorisation.require_any_coordinator(desk.actor)
    company = authorisation.company_to_edit(desk, company_id)
    company.recognition = recognition
    audit.record(desk, "set_recognition", "company", company.id, recognition=recognition.value)
    return company


def set_capacity(desk: Desk, company_id: str, max_open_leads: int | None) -> Company:
    """At most this many open leads at once; None for no limit."""
    company = authorisation.company_to_edit(desk, company_id)
    company.max_open_leads = _capacity(max_open_leads)
    audit.record(desk, "set_capacity", "company", company.id, max_open_leads=max_open_leads)
    return company


def set_absences(
    desk: Desk, company_id: str, absences: Sequence[tuple[date, date, str]]
) -> Company:
    """The days on which the company takes no leads: (first, last, note), replacing all."""
    authorisation.company_to_edit(desk, company_id)
    company = load(desk, company_id)
    for first, final, _ in absences:
        if final < first:
            raise Invalid(
                "absence_backwards", f"absences: {final} comes before {first}", field="absences"
            )
    company.absences[:] = [
        Absence(starts_on=first, ends_on=final, note=checks.line(note, "note"))
        for first, final, note in absences
    ]
    company.updated_at = now()
    audit.record(desk, "set_absences", "company", company.id, absences=len(absences))
    desk.session.flush()
    return company


def set_sites(desk: Desk, company_id: str, places: Sequence[tuple[str, str]]) -> Company:
    """The sites of a company: (postcode and/or place, street), replacing all.

    Raises Invalid; `values["row"]` tells which site is wrong, counted from 0.
    """
    authorisation.company_to_edit(desk, company_id)
    company = load(desk, company_id)
    if not places:
        raise Invalid("missing", "sites: give at least one site with a postcode", field="sites")
    wanted = []
    for row, (place, street) in enumerate(places):
        try:
            wanted.append(_site(desk, place, street))
        except Invalid as problem:
            problem.values["row"] = row
            raise
    moved = [_where(site) for site in wanted] != [_where(site) for site in company.sites]
    looked_through(desk, company, moved)
    if moved:
        company.sites[:] = wanted
        company.updated_at = now()
        nis = [site.nis for site in wanted]
        audit.record(desk, "set_sites", "company", company.id, number=len(places), nis=nis)
    desk.session.flush()
    return company


def deactivate(desk: Desk, company_id: str, *, active: bool = False) -> Company:
    """Take a company out of (or back into) the network; its past stays. For coordinators."""
    authorisation.require_any_coordinator(desk.actor)
    company = authorisation.company_to_edit(desk, company_id)
    company.active = active
    audit.record(desk, "set_active", "company", company.id, active=active)
    return company


def _site(desk: Desk, place: str, street: str) -> Site:
    found = checks.place(desk.runtime, place, "sites")
    return Site(
        street=checks.line(street, "street", most=200),
        postcode=found.postcode,
        nis=found.nis,
        lat=found.lat,
        lon=found.lon,
    )


def _where(site: Site) -> tuple[str, str, str]:
    return site.postcode, site.nis, site.street


def radius(value: float, field: str) -> float:
    """A radius in km. Raises Invalid."""
    if not 0 <= value <= MOST_RADIUS_KM:
        raise Invalid("bad_radius", f"{field}: between 0 and {MOST_RADIUS_KM} km", field=field)
    return float(value)


def _capacity(value: int | None) -> int | None:
    if value is not None and not 0 <= value <= 1000:
        raise Invalid("bad_capacity", "max_open_leads: between 0 and 1000", field="max_open_leads")
    return value


def _website(value: str) -> str | None:
    address = checks.line(value, "website", most=290)
    if address and not address.startswith(("http://", "https://")):
        address = f"https://{address}"
    return address or None
