"""Referrals: a need handed to another hub, partner, expert or funder, with a message."""

from collections.abc import Sequence

from sqlalchemy import select

from api.errors import Invalid
from api.services import audit, authorisation, checks, hubs, needs, outbox, people
from api.services.desk import Desk
from models import Hub, Need, Referral
from models.message import MessageKind
from models.referral import ReferralKind
from models.states import NeedState


def refer(
    desk: Desk,
    need_id: str,
    kind: ReferralKind,
    message: str,
    *,
    to_hub: str = "",
    to_name: str = "",
    to_email: str = "",
) -> Referral:
    """Hand a need on. To another hub it lands in that hub's queue; others get a mail.

    Raises Invalid when the receiver is missing, IllegalTransition when it is no longer waiting.
    """
    need = authorisation.need_as_coordinator(desk, need_id)
    from_hub = desk.session.get_one(Hub, need.hub_id)
    words = checks.text(message, "message", least=3, most=5000)
    target: Hub | None = None
    if kind is ReferralKind.HUB:
        target = hubs.named(desk, to_hub, "to_hub")
        if target.id == from_hub.id:
            raise Invalid("same_hub", "to_hub: this hub has the need already", field="to_hub")
    elif not to_email:
        raise Invalid("missing", "to_email: who should receive it?", field="to_email")
    referral = Referral(
        need_id=need.id,
        kind=kind,
        from_hub_id=from_hub.id,
        to_hub_id=target.id if target else None,
        to_name=target.name if target else checks.line(to_name, "to_name", most=200),
        to_email=target.email if target else checks.email(to_email, "to_email"),
        message=words,
        made_by=desk.actor.person_id or desk.actor.name,
        created_at=desk.at,
    )
    desk.session.add(referral)
    audit.record(desk, "refer", "need", need.id, from_hub.id, kind=kind.value)
    need.state = NeedState.REFERRED
    receivers = [outbox.Recipient(referral.to_email, referral.to_name, need.language)]
    if target is not None:
        need.hub_id = target.id
        need.state = NeedState.SUBMITTED
        receivers = [
            outbox.Recipient(person.email, person.name, person.language)
            for person in people.coordinators(desk, target.id)
        ] or receivers
    else:
        need.closed_at = desk.at
    for receiver in receivers:
        outbox.queue(
            desk,
            MessageKind.REFERRAL,
            receiver,
            need_id=need.id,
            need=need,
            hub=from_hub,
            referral=referral,
        )
    needs.notify_firm(desk, need, MessageKind.NOTICE, event="referred", note=referral.to_name)
    return referral


def of_need(desk: Desk, need: Need) -> Sequence[Referral]:
    return desk.session.scalars(
        select(Referral).where(Referral.need_id == need.id).order_by(Referral.id)
    ).all()
