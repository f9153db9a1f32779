"""Who may do what to which object, in one place.

An outsider is told that the thing does not exist; someone who may see it but not do this
to it is told so.
"""

from sqlalchemy import select

from api.errors import NotAllowed, NotFound
from api.services.desk import IMPORT, Actor, Desk
from models import Broadcast, Company, Hub, Lead, Need, Note
from models.states import NeedState


def coordinates(actor: Actor, hub_id: str) -> bool:
    return hub_id in actor.hubs


def require_coordinator(actor: Actor, hub_id: str) -> None:
    """Raises NotFound for everybody but the hub's coordinators."""
    if not coordinates(actor, hub_id):
        raise NotFound("hub_not_found", "there is no such hub, or it is not yours")


def require_any_coordinator(actor: Actor) -> None:
    if not actor.hubs and actor is not IMPORT:
        raise NotAllowed("coordinators_only", "only coordinators of a hub may do this")


def require_scope(actor: Actor, scope: str) -> None:
    """Raises NotAllowed when the caller is a token without this scope."""
    if actor.scopes is not None and scope not in actor.scopes:
        raise NotAllowed("missing_scope", f"this token lacks the scope {scope}", scope=scope)


def is_mine(actor: Actor, need: Need) -> bool:
    """Whether a need is of the actor's firm; before it is confirmed, of who wrote it."""
    wrote = need.state is NeedState.DRAFT and actor.email == need.contact_email
    return need.firm_id in actor.firms or (wrote and actor.person_id is not None)


def need(desk: Desk, need_id: str) -> Need:
    """The need, for its hub's coordinators and its firm. Raises NotFound for others."""
    found = desk.session.get(Need, need_id)
    if found is None or not (coordinates(desk.actor, found.hub_id) or is_mine(desk.actor, found)):
        raise NotFound("need_not_found", "there is no such need, or it is not yours")
    return found


def need_as_coordinator(desk: Desk, need_id: str) -> Need:
    """The need, for its hub's coordinators. Raises NotFound, or NotAllowed for the firm."""
    found = need(desk, need_id)
    if not coordinates(desk.actor, found.hub_id):
        raise NotAllowed("coordinators_only", "only the coordinators of this hub may do this")
    return found


def need_as_firm(desk: Desk, need_id: str) -> Need:
    """The need, for its firm. Raises NotFound, or NotAllowed for the hub: the firm chooses."""
    found = need(desk, need_id)
    if not is_mine(desk.actor, found):
        raise NotAllowed("firm_only", "only the firm that asked may do this; the hub is neutral")
    return found


def lead(desk: Desk, lead_id: str) -> Lead:
    """The lead, for its company from the release on, and for the hub's coordinators.

    Raises NotFound for others.
    """
    found = desk.session.get(Lead, lead_id)
    if found is not None:
        if found.company_id in desk.actor.companies:
            return released(desk, found)
        hub_id = desk.session.scalar(select(Need.hub_id).where(Need.id == found.need_id))
        if hub_id is not None and coordinates(desk.actor, hub_id):
            return found
    raise NotFound("lead_not_found", "there is no such lead, or it is not yours")


def released(desk: Desk, lead: Lead) -> Lead:
    """The lead, once it is released: no company may know of it before the others.

    Raises NotFound.
    """
    moment = desk.session.scalar(
        select(Broadcast.released_at).where(Broadcast.id == lead.broadcast_id)
    )
    if moment is None or moment > desk.at:
        raise NotFound("lead_not_found", "there is no such lead, or it is not yours")
    return lead


def lead_as_company(desk: Desk, lead_id: str) -> Lead:
    """The lead, for its company. Raises NotFound, or NotAllowed for coordinators."""
    found = lead(desk, lead_id)
    if found.company_id not in desk.actor.companies:
        raise NotAllowed("company_only", "only the maatwerkbedrijf itself answers its leads")
    return found


def company_to_edit(desk: Desk, company_id: str) -> Company:
    """The company, for itself and for coordinators. Raises NotFound for others."""
    found = desk.session.get(Company, company_id)
    if found is None:
        raise NotFound("company_not_found", "there is no such maatwerkbedrijf")
    mine = company_id in desk.actor.companies or desk.actor is IMPORT
    if not mine and not desk.actor.hubs:
        raise NotAllowed("company_only", "only the maatwerkbedrijf or a coordinator may do this")
    return found


def company_itself(desk: Desk, company_id: str) -> Company:
    """The company, for its own people alone. Raises NotFound, or NotAllowed for all others.

    Feeds, webhooks and people open the way to its personal links, with which one answers in its
    name: a coordinator may not.
    """
    found = company_to_edit(desk, company_id)
    if company_id not in desk.actor.companies:
        raise NotAllowed("company_only", "only the maatwerkbedrijf itself may do this")
    return found


def hub_to_edit(desk: Desk, hub_id: str) -> Hub:
    """The hub, for its coordinators. Raises NotFound for others."""
    require_coordinator(desk.actor, hub_id)
    found = desk.session.get(Hub, hub_id)
    if found is None:
        raise NotFound("hub_not_found", "there is no such hub, or it is not yours")
    return found


def note_of_own(desk: Desk, note_id: str) -> Note:
    """A note in a case file, for who wrote it while coordinating its hub.

    Raises NotFound, or NotAllowed for the hub's other coordinators: they read it.
    """
    found = desk.session.get(Note, note_id)
    if found is None or not coordinates(desk.actor, found.hub_id):
        raise NotFound("note_not_found", "there is no such note, or it is not of your hub")
    if found.author_id != desk.actor.person_id:
        raise NotAllowed("author_only", "only who wrote this note may change or remove it")
    return found
