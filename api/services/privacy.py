"""What people are told about their data, word for word, in versions.

Every need keeps which version whoever asked was shown; every version stays readable.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select

from api.services import audit
from api.services.desk import Desk
from api.settings import Settings
from api.wording import N_
from models import AuditEntry, Need

PROMISE = N_("Wij bewaren dit om je vraag te behandelen.")  # beside the button that sends a need


TILES = N_(
    "Achter onze kaarten liggen beelden van %(host)s: wie een kaart opent, vraagt ze daar op. "
    "Die site ziet dan je IP-adres en welk gebied je bekijkt, niet welke pagina."
)


@dataclass(frozen=True)
class Kept:
    """One line of the privacy table; `days` None: as long as the account or network exists."""

    what: str
    why: str
    days: int | None


def privacy_table(retention_days: int) -> tuple[Kept, ...]:
    """Which personal data is kept, why, and for how many days."""
    return (
        Kept(
            N_("naam, mailadres en telefoon van wie een vraag stelt"),
            N_("om de vraag te bevestigen, te beantwoorden en op te volgen"),
            retention_days,
        ),
        Kept(
            N_("foto's en pdf's bij een vraag"),
            N_("om te tonen wat er moet gebeuren"),
            retention_days,
        ),
        Kept(
            N_("mails die we stuurden, met naam en adres"),
            N_("om te bewijzen dat iedereen hetzelfde kreeg, en fouten te herstellen"),
            retention_days,
        ),
        Kept(
            N_("antwoorden en vragen van maatwerkbedrijven"),
            N_("om de onderneming te laten kiezen"),
            retention_days,
        ),
        Kept(
            N_("notities van coördinatoren in een dossier"),
            N_("om een vraag samen op te volgen"),
            retention_days,
        ),
        Kept(
            N_("naam, mailadres en rol van wie aanmeldt"),
            N_("om te weten wie wat mag"),
            None,
        ),
        Kept(
            N_("wanneer een maatwerkbedrijf zijn profiel nakeek, en wanneer we dat vroegen"),
            N_("om het aanbod juist te houden zonder te vaak te mailen"),
            None,
        ),
        Kept(N_("aanmeldlinks en sessies"), N_("om je aangemeld te houden"), 30),
        Kept(
            N_("wie wat deed, als nummer zonder naam"),
            N_("om verantwoording af te leggen over neutraliteit"),
            None,
        ),
    )


def lines(desk: Desk) -> list[str]:
    """The text in force, in Dutch: what it is all translated from."""
    settings = desk.runtime.settings
    table = privacy_table(settings.retention_days)
    kept = [f"{each.what}: {each.why} ({each.days or 'blijft'})" for each in table]
    host = tile_host(settings)
    return [PROMISE, *kept, *([TILES % {"host": host}] if host else [])]


def tile_host(settings: Settings) -> str:
    """The host of another that browsers ask for parts of a map; empty when there is none."""
    return settings.tiles_origin.removeprefix("https://")


def version(desk: Desk) -> str:
    """The name of the text in force: another word or another term makes another name."""
    return hashlib.sha256("\n".join(lines(desk)).encode()).hexdigest()[:12]


def show(desk: Desk) -> str:
    """The version that somebody is shown now; the first time it is shown, its text is kept."""
    name = version(desk)
    known = select(AuditEntry.id).where(_published(), AuditEntry.object_id == name)
    if desk.session.scalar(known.limit(1)) is None:
        audit.record(desk, "publish", "privacy", name, lines=lines(desk))
        desk.session.flush()
    return name


def earlier(desk: Desk) -> Sequence[AuditEntry]:
    """The versions that people were shown, newest first; `details["lines"]` holds the text."""
    return desk.session.scalars(
        select(AuditEntry).where(_published()).order_by(AuditEntry.id.desc())
    ).all()


def shown_to(desk: Desk, email: str) -> Sequence[AuditEntry]:
    """What was noted when a person's needs came in; `details["privacy"]` names the version."""
    return desk.session.scalars(
        select(AuditEntry)
        .join(Need, Need.id == AuditEntry.object_id)
        .where(AuditEntry.action == "submit", Need.contact_email == email)
        .order_by(AuditEntry.id)
    ).all()


def _published() -> ColumnElement[bool]:
    return (AuditEntry.noun == "privacy") & (AuditEntry.action == "publish")
