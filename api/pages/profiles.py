"""The profile of a maatwerkbedrijf: what it says of itself, sites, absence, certificates, feed; for
itself and for coordinators."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response

from api.errors import Invalid
from api.pages.fields import Text, Texts, caught, day, number
from api.pages.visit import CoordinatorVisit, MemberVisit, Visit
from api.services import (
    authorisation,
    certificates,
    checks,
    companies,
    feeds,
    offers,
    people,
    profile_mails,
)
from api.web import Csrf
from models import Company
from models.company import Delivery, Recognition

router = APIRouter()


@dataclass
class ProfileForm:
    """What the form of the profile sends."""

    name: Text = ""
    email: Text = ""
    phone: Text = ""
    website: Text = ""
    description: Text = ""
    language: Text = "nl"
    languages: Annotated[Sequence[str], Form()] = ()
    service_radius_km: Text = ""
    max_open_leads: Text = ""
    delivery: Text = "each"
    wants_reminders: Text = ""
    wants_profile_mail: Text = ""

    @classmethod
    def of(cls, company: Company) -> "ProfileForm":
        """The form as the company is now."""
        most = company.max_open_leads
        return cls(
            name=company.name,
            email=company.email or "",
            phone=company.phone or "",
            website=company.website or "",
            description=company.description,
            language=company.language,
            languages=list(company.languages),
            service_radius_km=f"{company.service_radius_km:g}",
            max_open_leads="" if most is None else str(most),
            delivery=company.delivery.value,
            wants_reminders="1" if company.wants_reminders else "",
            wants_profile_mail="1" if company.wants_profile_mail else "",
        )


ProfileDep = Annotated[ProfileForm, Depends()]


@router.get("/companies/{company_id}/edit")
def edit(visit: MemberVisit, company_id: str, removed: str = "") -> Response:
    """The whole profile; `removed` is the offer that was just taken away."""
    return _edit(visit, company_id, {}, {"removed": removed})


def _edit(
    visit: Visit, company_id: str, errors: dict[str, str], form: dict[str, Any] | None = None
) -> Response:
    authorisation.company_to_edit(visit.desk, company_id)
    company = companies.load(visit.desk, company_id)
    own = company_id in visit.desk.actor.companies
    sites = [
        (f"{site.postcode} {_municipality(visit, site.nis)}", site.street) for site in company.sites
    ]
    kept: dict[str, Any] = asdict(ProfileForm.of(company)) | {
        "removed": "",
        "sites": [*sites, ("", "")],
        "starts_on": "",
        "ends_on": "",
        "note": "",
        "until": {each.code: each.valid_until or "" for each in company.certificates},
        "codes": [each.code for each in company.certificates],
    }
    return visit.page(
        "companies/edit.html",
        422 if errors else 200,
        company=company,
        offers=offers.of_company(visit.desk, company_id, all_of_them=True),
        form=kept | (form or {}),
        errors=errors,
        certificates=visit.runtime.certificates,
        today=visit.desk.today,
        soon=visit.desk.today + certificates.REMIND_BEFORE,
        spoken=checks.SPOKEN,
        recognitions=[each.value for each in Recognition],
        own=own,
        stale=company.checked_at < visit.desk.at - profile_mails.STALE,
        has_people=bool(people.of_company(visit.desk, company_id)),
        feed=f"/feed/{feeds.secret(visit.desk, company_id)}" if own else "",
    )


def _municipality(visit: Visit, nis: str) -> str:
    return visit.runtime.places.municipality(nis).name(visit.language)


@router.post("/companies/{company_id}/profile", dependencies=[Csrf])
def profile(visit: MemberVisit, company_id: str, form: ProfileDep) -> Response:
    """What the company says about itself, and how it wants its leads."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        if form.delivery not in list(Delivery):
            raise Invalid("bad_choice", "delivery: choose one", field="delivery")
        typed = asdict(form) | {
            "service_radius_km": number(form.service_radius_km, "service_radius_km"),
            "delivery": Delivery(form.delivery),
            "wants_reminders": bool(form.wants_reminders),
            "wants_profile_mail": bool(form.wants_profile_mail),
        }
        most = number(typed.pop("max_open_leads"), "max_open_leads")
        companies.change(visit.desk, company_id, **typed)
        companies.set_capacity(visit.desk, company_id, None if most is None else int(most))
        return visit.go(f"/companies/{company_id}/edit#profile", "profile")
    return _edit(visit, company_id, errors, asdict(form))


@router.post("/companies/{company_id}/sites", dependencies=[Csrf])
def sites(
    visit: MemberVisit,
    company_id: str,
    places: Texts = [],  # noqa: B006
    streets: Texts = [],  # noqa: B006
) -> Response:
    """Where the company works from; a row without a place is dropped."""
    pairs = list(zip(places, streets, strict=False))
    rows = [(place, street) for place, street in pairs if place.strip()]
    errors: dict[str, str] = {}
    row: dict[str, Any] = {}
    with caught(visit, errors):
        try:
            companies.set_sites(visit.desk, company_id, rows)
        except Invalid as problem:
            row = problem.values
            raise
        return visit.go(f"/companies/{company_id}/edit#sites", "sites")
    if "row" in row:
        errors = {f"{key}-{row['row']}": told for key, told in errors.items()}
    return _edit(visit, company_id, errors, {"sites": [*rows, ("", "")]})


@router.post("/companies/{company_id}/absences", dependencies=[Csrf])
def absences(
    visit: MemberVisit,
    company_id: str,
    starts_on: Text = "",
    ends_on: Text = "",
    note: Text = "",
    drop: Text = "",
) -> Response:
    """Add days without new leads, or drop a period."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        authorisation.company_to_edit(visit.desk, company_id)
        company = companies.load(visit.desk, company_id)
        kept = [
            (each.starts_on, each.ends_on, each.note)
            for each in company.absences
            if each.id != drop
        ]
        first, last = day(starts_on, "starts_on"), day(ends_on, "ends_on")
        if not drop:
            if first is None or last is None:
                empty = "starts_on" if first is None else "ends_on"
                raise Invalid("missing", f"{empty}: fill this in", field=empty)
            kept.append((first, last, note))
        companies.set_absences(visit.desk, company_id, kept)
        return visit.go(f"/companies/{company_id}/edit#absence", "absence")
    errors = {"ends_on" if key == "absences" else key: value for key, value in errors.items()}
    return _edit(
        visit, company_id, errors, {"starts_on": starts_on, "ends_on": ends_on, "note": note}
    )


@router.post("/companies/{company_id}/certificates", dependencies=[Csrf])
def held(
    visit: MemberVisit,
    company_id: str,
    codes: Texts = [],  # noqa: B006
    rows: Texts = [],  # noqa: B006
    days: Texts = [],  # noqa: B006
) -> Response:
    """The certificates a company holds; `rows` and `days` tell each one's last valid day."""
    until = dict(zip(rows, days, strict=False))
    errors: dict[str, str] = {}
    with caught(visit, errors):
        wanted = [(code, day(until.get(code, ""), f"until-{code}")) for code in codes]
        certificates.set_all(visit.desk, company_id, wanted)
        return visit.go(f"/companies/{company_id}/edit#certificates", "certificates")
    return _edit(visit, company_id, errors, {"codes": codes, "until": until})


@router.post("/companies/{company_id}/standing", dependencies=[Csrf])
def standing(
    visit: CoordinatorVisit, company_id: str, recognition: Text = "", active: Text = ""
) -> Response:
    """Recognition and whether the company takes part: facts the hub keeps."""
    if recognition not in list(Recognition):
        raise Invalid("bad_choice", "recognition: choose one", field="recognition")
    companies.set_recognition(visit.desk, company_id, Recognition(recognition))
    companies.deactivate(visit.desk, company_id, active=bool(active))
    return visit.go(f"/companies/{company_id}/edit", "profile")


@router.post("/companies/{company_id}/feed", dependencies=[Csrf])
def renew_feed(visit: MemberVisit, company_id: str) -> Response:
    """A new secret address for the feed; the former one stops working."""
    feeds.renew(visit.desk, company_id)
    return visit.go(f"/companies/{company_id}/edit#feed", "feed")
