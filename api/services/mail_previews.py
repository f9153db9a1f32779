"""What mails would look like with other words of the hub; nothing is kept or sent."""

from sqlalchemy import select

from api.services import authorisation, broadcasts, mails
from api.services.desk import Desk
from api.services.hub_texts import Texts
from models import Hub, Need
from models.message import MessageKind


def of_hub(desk: Desk, hub_id: str, texts: Texts, language: str) -> dict[str, tuple[str, str]]:
    """Reader ("company", "firm") -> (subject, plain text) of the mail with these texts.

    The real mails about the hub's newest need; none while the hub has no need.
    Raises NotFound for others than the hub's coordinators.
    """
    hub = authorisation.hub_to_edit(desk, hub_id)
    need = desk.session.scalar(
        select(Need).where(Need.hub_id == hub.id).order_by(Need.id.desc()).limit(1)
    )
    if need is None:
        return {}
    shown = Hub(name=hub.name, language=hub.language, texts=texts)
    link = f"{desk.runtime.settings.base_url}/…"
    lead = mails.composed(
        desk,
        MessageKind.LEAD,
        mails.Recipient("", "", language),
        shown,
        content=broadcasts.content_of(desk, need, shown),
        deadline=broadcasts.default_deadline(hub, desk.at),
        late=False,
        link=link,
    )
    news = mails.composed(
        desk,
        MessageKind.NOTICE,
        mails.Recipient("", need.contact_name, language),
        shown,
        need=need,
        event="released",
        note="2",
        link=link,
    )
    return {"company": lead[:2], "firm": news[:2]}
