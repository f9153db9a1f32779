"""Companies (maatwerkbedrijven): what all may know, and what only they and coordinators see."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.base import (
    EXAMPLE_ID,
    Bool,
    Code,
    ExternalId,
    FilledLine,
    FilledName,
    Id,
    In,
    Line,
    Name,
    Out,
    Phone,
    Whole,
    Words,
    example,
)
from api.schemas.offers import Radius
from models.company import Delivery, Recognition

Spoken = Literal["nl", "fr", "en", "de"]
Capacity = Annotated[Whole, Field(ge=0, le=1000)]


class SiteIn(In):
    """Where a company works from: postcode, name of the place, or both."""

    place: FilledLine = Field(examples=["2800 Mechelen"])
    street: Name = ""


class CertificateIn(In):
    """A certificate the company holds, until its last valid day (null: no end)."""

    code: Code
    valid_until: date | None = None


class AbsenceIn(In):
    """Days on which the company takes no new leads, both included."""

    starts_on: date
    ends_on: date
    note: Line = ""


class CompanyIn(In):
    """A new company with its sites. For coordinators."""

    model_config = example(
        name="Wasserij Het Blauwe Laken",
        email="leads@blauwelaken.example",
        sites=[{"place": "2800 Mechelen", "street": "Postzegellaan 1"}],
        service_radius_km=40,
    )

    name: FilledName
    sites: list[SiteIn] = Field(min_length=1, max_length=100)
    email: Line = ""
    kbo: Line = ""
    language: Literal["nl", "fr", "en"] = "nl"
    phone: Phone = ""
    website: Line = ""
    description: Words = ""
    recognition: Recognition = Recognition.RECOGNISED
    service_radius_km: Radius = 30.0
    max_open_leads: Capacity | None = None
    external_id: ExternalId | None = None


class CompanyChangeIn(In):
    """What changes; only what is given. `recognition` and `active` are for coordinators."""

    model_config = example(service_radius_km=50, max_open_leads=5)

    name: FilledName | None = None
    email: Line | None = None
    phone: Phone | None = None
    website: Line | None = None
    description: Words | None = None
    language: Literal["nl", "fr", "en"] | None = None
    languages: list[Spoken] | None = Field(None, max_length=4, description="its people work in")
    service_radius_km: Radius | None = None
    delivery: Delivery | None = None
    wants_reminders: Bool | None = None
    wants_profile_mail: Bool | None = Field(None, description="asks yearly to look at the profile")
    max_open_leads: Capacity | None = Field(None, description="null: no limit")
    recognition: Recognition | None = None
    active: Bool | None = None


class SitesIn(In):
    """All sites of a company, replacing those it has."""

    model_config = example(sites=[{"place": "2500 Lier"}])

    sites: list[SiteIn] = Field(min_length=1, max_length=100)


class CertificatesIn(In):
    """All certificates of a company, replacing those it has."""

    model_config = example(
        certificates=[{"code": "haccp", "valid_until": "2028-12-31"}],
    )

    certificates: list[CertificateIn] = Field(max_length=100)


class AbsencesIn(In):
    """All absences of a company, replacing those it has."""

    model_config = example(
        absences=[{"starts_on": "2027-07-05", "ends_on": "2027-07-25"}],
    )

    absences: list[AbsenceIn] = Field(max_length=100)


class SiteOut(Out):
    """Where a company works from."""

    street: str
    postcode: str
    nis: str
    lat: float
    lon: float


class CertificateOut(Out):
    """A certificate and its last valid day."""

    code: str
    valid_until: date | None


class AbsenceOut(Out):
    """Days without new leads."""

    starts_on: date
    ends_on: date
    note: str


class CompanyPrivate(Out):
    """What only the company itself and coordinators see."""

    email: str | None
    email_bounced_at: datetime | None
    phone: str | None
    external_id: str | None
    max_open_leads: int | None
    delivery: Delivery
    wants_reminders: bool
    wants_profile_mail: bool
    absences: list[AbsenceOut]


class CompanyOut(Out):
    """A company; `private` is null for everyone but itself and coordinators."""

    model_config = example(
        id=EXAMPLE_ID,
        name="Wasserij Het Blauwe Laken",
        kbo=None,
        website=None,
        description="",
        language="nl",
        languages=["nl", "fr"],
        recognition="recognised",
        service_radius_km=40,
        active=True,
        sites=[
            {
                "street": "Postzegellaan 1",
                "postcode": "2800",
                "nis": "12025",
                "lat": 51.03,
                "lon": 4.48,
            }
        ],
        certificates=[],
        private=None,
    )

    id: Id
    name: str
    kbo: str | None
    website: str | None
    description: str
    language: str
    languages: list[str]
    recognition: Recognition
    service_radius_km: float
    active: bool
    sites: list[SiteOut]
    certificates: list[CertificateOut]
    private: CompanyPrivate | None = None
