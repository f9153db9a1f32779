"""Webhooks of a company or hub: add one, try it, see what was delivered, send again, pause."""

from fastapi import APIRouter, Response

from api.errors import NotFound
from api.pages.fields import Text, caught
from api.pages.visit import CoordinatorVisit, MemberVisit, Visit
from api.services import authorisation, webhooks
from api.web import Csrf
from models import Company, Hub, Webhook

router = APIRouter()
SHOWN = 50  # deliveries on the page


@router.get("/companies/{company_id}/webhooks")
def of_company(visit: MemberVisit, company_id: str) -> Response:
    """The webhooks of one's own company."""
    return _list(visit, _company(visit, company_id))


@router.get("/hub/{hub_id}/webhooks")
def of_hub(visit: CoordinatorVisit, hub_id: str) -> Response:
    """The webhooks of one's own hub."""
    return _list(visit, authorisation.hub_to_edit(visit.desk, hub_id))


@router.post("/companies/{company_id}/webhooks", dependencies=[Csrf])
def add_to_company(visit: MemberVisit, company_id: str, url: Text = "") -> Response:
    """A new webhook; its secret is shown this once."""
    return _add(visit, _company(visit, company_id), url)


@router.post("/hub/{hub_id}/webhooks", dependencies=[Csrf])
def add_to_hub(visit: CoordinatorVisit, hub_id: str, url: Text = "") -> Response:
    """The same for a hub."""
    return _add(visit, authorisation.hub_to_edit(visit.desk, hub_id), url)


def _company(visit: Visit, company_id: str) -> Company:
    return authorisation.company_itself(visit.desk, company_id)


def _keys(owner: Company | Hub) -> dict[str, str]:
    return {"company_id" if isinstance(owner, Company) else "hub_id": owner.id}


def _path(owner: Company | Hub) -> str:
    folder = "companies" if isinstance(owner, Company) else "hub"
    return f"/{folder}/{owner.id}/webhooks"


def _add(visit: Visit, owner: Company | Hub, url: str) -> Response:
    errors: dict[str, str] = {}
    made = None
    with caught(visit, errors):
        made = webhooks.add(visit.desk, url, **_keys(owner))
    return _list(visit, owner, made, "" if made else url, errors)


def _list(
    visit: Visit,
    owner: Company | Hub,
    made: Webhook | None = None,
    url: str = "",
    errors: dict[str, str] | None = None,
) -> Response:
    found = webhooks.of(visit.desk, **_keys(owner))
    return visit.page(
        "webhooks/list.html",
        422 if errors else 200,
        owner=owner,
        back=f"/companies/{owner.id}/edit" if isinstance(owner, Company) else "/hub/settings",
        action=_path(owner),
        hooks=[(each, webhooks.deliveries(visit.desk, each.id, 1)) for each in found],
        made=made,
        url=url,
        errors=errors or {},
    )


@router.get("/webhooks/{webhook_id}")
def show(visit: MemberVisit, webhook_id: str) -> Response:
    """One webhook with what was delivered lately."""
    hook = webhooks.find(visit.desk, webhook_id)
    desk = visit.desk
    owner = desk.session.get(Company, hook.company_id or "") or desk.session.get_one(
        Hub, hook.hub_id
    )
    return visit.page(
        "webhooks/show.html",
        hook=hook,
        owner=owner,
        back=_path(owner),
        sent=webhooks.deliveries(desk, hook.id, SHOWN),
    )


@router.get("/webhooks/{webhook_id}/live")
def live(visit: MemberVisit, webhook_id: str) -> Response:
    """The deliveries alone, for while one waits for an answer."""
    hook = webhooks.find(visit.desk, webhook_id)
    sent = webhooks.deliveries(visit.desk, hook.id, SHOWN)
    return visit.page("webhooks/deliveries.html", hook=hook, sent=sent)


@router.post("/webhooks/{webhook_id}/test", dependencies=[Csrf])
def try_out(visit: MemberVisit, webhook_id: str) -> Response:
    """Send an event that says nothing, to see whether it arrives."""
    webhooks.ping(visit.desk, webhook_id)
    return visit.go(f"/webhooks/{webhook_id}", "webhook_tested")


@router.post("/webhooks/{webhook_id}/replay", dependencies=[Csrf])
def replay(visit: MemberVisit, webhook_id: str, delivery: Text = "") -> Response:
    """Send one event again."""
    if webhooks.replay(visit.desk, delivery).webhook_id != webhook_id:
        raise NotFound("delivery_not_found", "there is no such delivery of this webhook")
    return visit.go(f"/webhooks/{webhook_id}", "webhook_replayed")


@router.post("/webhooks/{webhook_id}/pause", dependencies=[Csrf])
def pause(visit: MemberVisit, webhook_id: str, paused: Text = "") -> Response:
    """Hold back what is to be sent, or let it go again."""
    webhooks.pause(visit.desk, webhook_id, bool(paused))
    return visit.go(f"/webhooks/{webhook_id}", "webhook_paused" if paused else "webhook_resumed")


@router.post("/webhooks/{webhook_id}/delete", dependencies=[Csrf])
def delete(visit: MemberVisit, webhook_id: str) -> Response:
    """Switch it off for good."""
    hook = webhooks.find(visit.desk, webhook_id)
    webhooks.remove(visit.desk, hook.id)
    path = f"/companies/{hook.company_id}" if hook.company_id else f"/hub/{hook.hub_id}"
    return visit.go(f"{path}/webhooks", "webhook_deleted")
