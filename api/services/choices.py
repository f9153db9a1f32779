"""Choices: the firm chooses one, more or none of the interested; the hub never does."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from api.errors import Conflict, Invalid
from api.services import answers, audit, authorisation, checks, closing, leads, ledger
from api.services.desk import Desk
from models import Choice, Collaboration, Lead, Need
from models.lead import Outcome
from models.states import CollaborationState, NeedState


def choose(desk: Desk, need_id: str, lead_ids: Sequence[str], reason: str = "") -> Need:
    """The firm chooses these leads, or none when empty; everyone is told, collaborations open.

    Raises Conflict when there is nothing to choose now, Invalid for a lead that is not
    interested, NotAllowed for the hub.
    """
    need = leads.hold(desk, authorisation.need_as_firm(desk, need_id).id)
    broadcast = leads.present(desk, need.id)
    if need.state not in (NeedState.OPEN, NeedState.DECIDING) or broadcast is None:
        raise Conflict("nothing_to_choose", f"the need is {need.state.value}")
    interested = {each.lead.id: each for each in answers.interested(desk, need.id)}
    unknown = sorted(set(lead_ids) - set(interested))
    if unknown:
        raise Invalid("not_interested", "leads: choose only among those interested", field="leads")
    words = checks.text(reason, "reason", least=0, most=2000)
    # A choice that was reopened is made anew; the ledger keeps both.
    desk.session.execute(delete(Choice).where(Choice.need_id == need.id))
    for lead_id in interested:
        desk.session.add(
            Choice(
                need_id=need.id,
                lead_id=lead_id,
                chosen=lead_id in lead_ids,
                reason=words,
                made_by=desk.actor.person_id or desk.actor.name,
                created_at=desk.at,
            )
        )
    need.state = NeedState.CHOSEN if lead_ids else NeedState.NONE_CHOSEN
    need.closed_at = desk.at
    ledger.append(desk, broadcast.id, "chosen", leads=sorted(lead_ids))
    for lead_id in lead_ids:
        _open_collaboration(desk, need, interested[lead_id].company.id)
    audit.record(desk, "choose", "need", need.id, need.hub_id, leads=sorted(lead_ids))
    closing.close_leads(
        desk,
        broadcast,
        need,
        Outcome.NOT_CHOSEN if lead_ids else Outcome.NONE_CHOSEN,
        chosen=lead_ids,
        reason=words,
    )
    return need


def reopen(desk: Desk, need_id: str) -> Need:
    """Undo a choice: the firm decides anew among the same interested companies."""
    need = leads.hold(desk, authorisation.need_as_firm(desk, need_id).id)
    if need.state not in (NeedState.CHOSEN, NeedState.NONE_CHOSEN):
        raise Conflict("not_chosen", f"the need is {need.state.value}; there is no choice to undo")
    broadcast = leads.present(desk, need.id)
    need.state = NeedState.DECIDING
    need.closed_at = None
    # Talks that came of this choice alone end with it; what is tried or runs already stays.
    desk.session.execute(
        delete(Collaboration).where(
            Collaboration.need_id == need.id, Collaboration.state == CollaborationState.TALK
        )
    )
    if broadcast is not None:
        ledger.append(desk, broadcast.id, "reopened")
    audit.record(desk, "reopen", "need", need.id, need.hub_id)
    return need


def of_need(desk: Desk, need_id: str) -> Sequence[tuple[Choice, Lead]]:
    """The choices of a need with their leads."""
    rows = desk.session.execute(
        select(Choice, Lead)
        .join(Lead, Lead.id == Choice.lead_id)
        .where(Choice.need_id == need_id)
        .order_by(Choice.id)
    )
    return [(choice, lead) for choice, lead in rows]


def _open_collaboration(desk: Desk, need: Need, company_id: str) -> None:
    held = desk.session.scalar(
        select(Collaboration).where(
            Collaboration.need_id == need.id, Collaboration.company_id == company_id
        )
    )
    if held is None:
        desk.session.add(
            Collaboration(
                need_id=need.id,
                company_id=company_id,
                state=CollaborationState.TALK,
                created_at=desk.at,
            )
        )
        desk.session.flush()
