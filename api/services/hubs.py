"""Hubs: which one owns a place, and what its territory is."""

from collections.abc import Sequence

from sqlalchemy import select

from api.errors import Invalid, NotFound
from api.services import audit, authorisation, checks
from api.services.desk import Desk
from models import Hub, HubMunicipality
from models.hub import HubKind, Policy

LEAST_ALPHA, MOST_ALPHA = 0.01, 0.5
MOST_DEADLINE_DAYS = 60


def all_hubs(desk: Desk) -> Sequence[Hub]:
    """Every hub, by name."""
    return desk.session.scalars(select(Hub).order_by(Hub.name)).all()


def by_slug(desk: Desk, slug: str) -> Hub:
    """The hub with this short name. Raises NotFound."""
    found = desk.session.scalar(select(Hub).where(Hub.slug == slug))
    if found is None:
        raise NotFound("hub_not_found", f"there is no hub {slug!r}")
    return found


def named(desk: Desk, slug: str, field: str) -> Hub:
    """The hub that somebody filled in. Raises Invalid: it is that field that is wrong."""
    try:
        return by_slug(desk, slug)
    except NotFound as error:
        raise Invalid("unknown_hub", f"{field}: {error.detail}", field=field, value=slug) from None


def territory(desk: Desk, hub_id: str) -> frozenset[str]:
    """The NIS codes of a hub's municipalities."""
    return frozenset(
        desk.session.scalars(select(HubMunicipality.nis).where(HubMunicipality.hub_id == hub_id))
    )


def owner_of(desk: Desk, nis: str) -> Hub:
    """The territorial hub that owns a municipality. Raises Invalid when none does."""
    found = desk.session.scalar(
        select(Hub)
        .join(HubMunicipality)
        .where(HubMunicipality.nis == nis, Hub.kind == HubKind.TERRITORY)
        .order_by(Hub.slug)
    )
    if found is None:
        name = desk.runtime.places.municipality(nis).name_nl
        raise Invalid(
            "outside_hubs",
            f"{name} lies in no hub's territory; the hubs cover Flanders",
            field="postcode",
            place=name,
        )
    return found


def change_terms(
    desk: Desk,
    hub_id: str,
    *,
    policy: Policy | None = None,
    alpha: float | None = None,
    deadline_days: int | None = None,
    reminders: bool | None = None,
    email: str | None = None,
    language: str | None = None,
) -> Hub:
    """Change a hub's terms for broadcasts to come; those released keep theirs.

    `language` is the one in which its coordinators are first addressed and its texts fall back.
    Raises Invalid for an alpha outside 0.01 to 0.5, a deadline outside 1 to 60 days, or another
    language than nl, fr and en.
    """
    hub = authorisation.hub_to_edit(desk, hub_id)
    if alpha is not None and not LEAST_ALPHA <= alpha <= MOST_ALPHA:
        raise Invalid("bad_alpha", f"alpha: between {LEAST_ALPHA} and {MOST_ALPHA}", field="alpha")
    if deadline_days is not None and not 1 <= deadline_days <= MOST_DEADLINE_DAYS:
        raise Invalid(
            "bad_deadline_days",
            f"deadline_days: between 1 and {MOST_DEADLINE_DAYS}",
            field="deadline_days",
        )
    changes = {
        "policy": policy,
        "alpha": alpha,
        "deadline_days": deadline_days,
        "reminders": reminders,
        "email": checks.email(email) if email is not None else None,
        "language": checks.language(language) if language is not None else None,
    }
    changes = {name: value for name, value in changes.items() if value is not None}
    for name, value in changes.items():
        setattr(hub, name, value)
    audit.record(desk, "change_terms", "hub", hub.id, hub.id, changed=sorted(changes))
    return hub
