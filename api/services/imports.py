"""Imports: companies, offers, firms and needs from a table; all rows or none.

Every row is checked and every bad one reported with what is wrong. A row whose `external_id`
is known changes what is there; nothing is ever doubled by importing a file twice.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from api.errors import Invalid, Problem
from api.services import audit, certificates, checks, companies, needs, offers, people
from api.services.desk import Desk
from api.services.sheets import Row, read_rows
from models import Company, Firm, Need, Offer
from models.company import Recognition
from models.need import WorkPlace

Progress = Callable[[int, int], None]
T = TypeVar("T", Company, Offer, Firm, Need)
E = TypeVar("E", Recognition, WorkPlace)
_DAYS = re.compile(r"[+-]\d{1,4}")
_YES = {"yes", "ja", "oui", "true", "1", "x", "y", "j"}
_NO = {"no", "nee", "non", "false", "0", "n", ""}


@dataclass(frozen=True)
class BadRow:
    """A row that was refused: its line in the file, the field, and what to do about it."""

    number: int
    field: str
    why: str
    problem: Problem | None = None


@dataclass
class Report:
    """What an import did, or would do when it is a dry run."""

    noun: str
    rows: int = 0
    unread: list[str] = field(default_factory=list)  # columns that mean nothing to us
    added: int = 0
    changed: int = 0
    bad: list[BadRow] = field(default_factory=list)


COLUMNS: dict[str, tuple[list[str], list[str]]] = {
    # noun: (required, optional)
    "companies": (
        ["name", "sites"],
        ["external_id", "kbo", "language", "email", "phone", "website", "recognition",
         "service_radius_km", "max_open_leads", "certificates", "absences", "description"],
    ),
    "offers": (
        ["company", "text"],
        ["external_id", "language", "on_site", "at_workshop", "radius_km", "activities"],
    ),
    "firms": (
        ["name", "email"],
        ["external_id", "kind", "kbo", "language", "postcode", "contact_name", "phone"],
    ),
    "needs": (
        ["text", "postcode"],
        ["external_id", "firm", "firm_name", "contact_name", "contact_email", "kbo", "title",
         "language", "volume", "rhythm", "starts_on", "work_place", "certificates", "state"],
    ),
}  # fmt: skip


def import_table(
    desk: Desk, noun: str, name: str, content: bytes, progress: Progress | None = None
) -> Report:
    """Import a file of one noun. When `report.bad` is not empty the caller must roll back.

    Raises Invalid when the file as a whole cannot be read.
    """
    required, optional = COLUMNS[noun]
    rows = read_rows(name, content, required, required + optional)
    unread = {column for row in rows for column in row.cells} - {*required, *optional, ""}
    report = Report(noun, len(rows), sorted(unread))
    take_in = {"companies": _company, "offers": _offer, "firms": _firm, "needs": _need}[noun]
    seen: dict[str, int] = {}
    for position, row in enumerate(rows, start=1):
        try:
            if row.beyond:
                raise Invalid(
                    "too_many_cells",
                    f"this row has more cells than the first row has names: {row.beyond[:100]}",
                )
            key = row["external_id"]
            if key and key in seen:
                raise Invalid(
                    "double",
                    f"the same external_id stands on line {seen[key]}",
                    field="external_id",
                )
            seen[key] = row.number
            with desk.session.begin_nested():
                new = take_in(desk, row)
            report.added += new
            report.changed += not new
        except Problem as problem:
            report.bad.append(
                BadRow(row.number, str(problem.values.get("field", "")), problem.detail, problem)
            )
        except IntegrityError:
            report.bad.append(
                BadRow(row.number, "kbo", "this KBO number or external_id is already in use")
            )
        if progress:
            progress(position, len(rows))
    audit.record(
        desk, "import", noun, "", added=report.added, changed=report.changed, bad=len(report.bad)
    )
    return report


def _company(desk: Desk, row: Row) -> bool:
    known = _known(desk, Company, row["external_id"])
    radius = _number(row, "service_radius_km", 30.0)
    capacity = _number(row, "max_open_leads", None)
    places = [_site(part) for part in row["sites"].split("|") if part.strip()]
    if known is None:
        company = companies.add(
            desk,
            name=row["name"],
            places=places,
            email=row["email"],
            kbo=row["kbo"],
            language=row["language"],
            phone=row["phone"],
            website=row["website"],
            description=row["description"],
            service_radius_km=30.0 if radius is None else radius,
            external_id=row["external_id"] or None,
        )
    else:
        company = companies.change(
            desk,
            known.id,
            name=row["name"],
            email=row["email"],
            phone=row["phone"],
            website=row["website"],
            description=row["description"],
            language=row["language"] or None,
            service_radius_km=radius,
        )
        companies.set_sites(desk, company.id, places)
    companies.set_capacity(desk, company.id, None if capacity is None else int(capacity))
    companies.set_recognition(desk, company.id, _choice(row, "recognition", Recognition))
    certificates.set_all(
        desk, company.id, [_certificate(desk, part) for part in _parts(row["certificates"])]
    )
    companies.set_absences(
        desk, company.id, [_absence(desk, part) for part in _parts(row["absences"])]
    )
    return known is None


def _offer(desk: Desk, row: Row) -> bool:
    company = _known(desk, Company, row["company"]) or desk.session.scalar(
        select(Company).where(Company.name == row["company"])
    )
    if company is None:
        raise Invalid(
            "unknown_company",
            f"company: no maatwerkbedrijf with external_id or name {row['company']!r}; "
            "import companies first",
            field="company",
        )
    known = _known(desk, Offer, row["external_id"])
    on_site, at_workshop = _yes(row, "on_site", False), _yes(row, "at_workshop", True)
    radius = _number(row, "radius_km", None)
    if known is None:
        offers.add(
            desk,
            company.id,
            text=row["text"],
            language=row["language"],
            on_site=on_site,
            at_workshop=at_workshop,
            radius_km=radius,
            external_id=row["external_id"] or None,
        )
        return True
    offers.change(
        desk,
        known.id,
        text=row["text"],
        on_site=on_site,
        at_workshop=at_workshop,
        radius_km=radius,
    )
    return False


def _firm(desk: Desk, row: Row) -> bool:
    known = _known(desk, Firm, row["external_id"])
    firm = known or Firm(external_id=row["external_id"] or None)
    firm.name = checks.line(row["name"], "name", least=1, most=200)
    firm.kbo = checks.kbo(row["kbo"])
    firm.email = checks.email(row["email"])
    firm.phone = checks.line(row["phone"], "phone", most=40) or None
    firm.language = checks.language(row["language"])
    if row["postcode"]:
        place = checks.place(desk.runtime, row["postcode"])
        firm.postcode, firm.nis = place.postcode, place.nis
    desk.session.add(firm)
    desk.session.flush()
    contact = people.find_or_add(desk, firm.email, name=row["contact_name"], language=firm.language)
    people.add_role(desk, contact, firm_id=firm.id)
    return known is None


def _need(desk: Desk, row: Row) -> bool:
    if _known(desk, Need, row["external_id"]) is not None:
        return False  # a need is a firm's own words: an import never changes one
    needs.submit(desk, draft_of(desk, row), proven=row["state"] != "draft")
    return True


def draft_of(desk: Desk, row: Row) -> needs.NeedDraft:
    """A row of a needs table as a draft. Raises Invalid with the field that is wrong."""
    firm = _known(desk, Firm, row["firm"]) if row["firm"] else None
    if row["firm"] and firm is None:
        raise Invalid(
            "unknown_firm",
            f"firm: no firm with external_id {row['firm']!r}; import firms first, or fill in "
            "firm_name and contact_email",
            field="firm",
        )
    return needs.NeedDraft(
        text=row["text"],
        place=row["postcode"],
        firm_name=firm.name if firm else row["firm_name"],
        contact_name=row["contact_name"] or (firm.name if firm else ""),
        contact_email=row["contact_email"] or (firm.email if firm else ""),
        kbo=row["kbo"] or (firm.kbo or "" if firm else ""),
        language=row["language"],
        title=row["title"],
        volume=row["volume"],
        rhythm=row["rhythm"],
        starts_on=_date(desk, row["starts_on"], "starts_on"),
        work_place=_choice(row, "work_place", WorkPlace, "either"),
        certificates=_parts(row["certificates"]),
        external_id=row["external_id"] or None,
    )


def _known(desk: Desk, table: type[T], external_id: str) -> T | None:
    if not external_id:
        return None
    return desk.session.scalar(select(table).where(table.external_id == external_id))


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split("|") if part.strip()]


def _site(part: str) -> tuple[str, str]:
    place, _, street = part.partition(",")
    return place.strip(), street.strip()


def _certificate(desk: Desk, part: str) -> tuple[str, date | None]:
    code, _, until = part.partition(":")
    return code.strip().lower(), _date(desk, until.strip(), "certificates")


def _absence(desk: Desk, part: str) -> tuple[date, date, str]:
    days, _, note = part.partition(" ")
    first, dots, last = days.partition("..")
    start, end = _date(desk, first, "absences"), _date(desk, last, "absences")
    if not dots or start is None or end is None:
        raise Invalid(
            "bad_absence",
            f"absences: {part!r}; write 2027-07-01..2027-07-15 and a note",
            field="absences",
        )
    return start, end, note


def _date(desk: Desk, value: str, name: str) -> date | None:
    """An ISO date, or +N / -N days from today; None when empty."""
    if not value:
        return None
    if _DAYS.fullmatch(value):
        return desk.today + timedelta(days=int(value))
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise Invalid(
            "bad_date", f"{name}: {value!r}; write a date as 2027-06-30", field=name
        ) from None


def _yes(row: Row, name: str, default: bool) -> bool:
    value = row[name].lower()
    if name not in row.cells or not value:
        return default
    if value not in _YES | _NO:
        raise Invalid("bad_yes_no", f"{name}: {value!r}; write yes or no", field=name)
    return value in _YES


def _number(row: Row, name: str, default: float | None) -> float | None:
    value = row[name].replace(",", ".")
    if not value:
        return default
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):  # float() takes "nan", "inf" and 1e309
        raise Invalid("bad_number", f"{name}: {row[name]!r} is no number", field=name)
    return found


def _choice(row: Row, name: str, kind: type[E], default: str = "recognised") -> E:
    value = row[name].lower() or default
    try:
        return kind(value)
    except ValueError:
        raise Invalid(
            "bad_choice",
            f"{name}: {value!r}; use one of {', '.join(each.value for each in kind)}",
            field=name,
        ) from None
