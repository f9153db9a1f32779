"""The demo: be anybody at once, and read the mail the local mail server really took."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import select

from api.errors import NotFound
from api.pages.fields import Text
from api.pages.signin import home_of, signed_in
from api.pages.visit import VisitDep
from api.services import signin
from api.web import RuntimeDep
from models import Company, Firm, Hub, Membership, Person

SHOWN = 100
MAIL_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-top-navigation-by-user-activation"
)


def _only_in_demo(runtime: RuntimeDep) -> None:
    if not runtime.settings.demo:
        raise NotFound("demo_only", "this page exists only in the demo")


router = APIRouter(dependencies=[Depends(_only_in_demo)])


@router.get("/demo")
def roles(visit: VisitDep) -> Response:
    """Pick somebody to be."""
    session = visit.desk.session

    def held(owner: Any, column: Any) -> list[Any]:
        return list(
            session.execute(
                select(Person, owner.name)
                .join(Membership, Membership.person_id == Person.id)
                .join(owner, owner.id == column)
                .order_by(owner.name, Person.id)
            )
        )

    # The fictional network is densest around Mechelen: a first visit sees most from there.
    coordinators = sorted(
        held(Hub, Membership.hub_id), key=lambda row: "Rivierenland" not in row[1]
    )
    return visit.page(
        "demo/roles.html",
        coordinators=coordinators,
        firms=held(Firm, Membership.firm_id),
        companies=held(Company, Membership.company_id),
    )


@router.post("/demo/be")
def be(visit: VisitDep, person: Text = "") -> Response:
    """Sign in as this person at once; possible in the demo only."""
    found = visit.desk.session.get(Person, person)
    if found is None:
        raise NotFound("role_not_found", "there is no such person in the demo")
    secret = signin.new_link(visit.desk, found).rpartition("/")[2]
    visit.desk.session.flush()
    cookie, session, _ = signin.redeem(visit.desk, secret, "demo")
    return signed_in(visit, cookie, session, home_of(visit, session))


def _receiver(request: Request) -> Any:
    return getattr(request.app.state, "receiver", None)


@router.get("/demo/mail")
def mail(visit: VisitDep, to: str = "") -> Response:
    """The mail that was really received, newest first."""
    receiver = _receiver(visit.request)
    found = [
        each
        for each in reversed(receiver.messages if receiver else [])
        if to.strip().lower() in each.to.lower()
    ]
    return visit.page(
        "demo/mail.html", mails=found[:SHOWN], total=len(found), to=to, running=bool(receiver)
    )


def _mail(request: Request, mail_id: str) -> Any:
    receiver = _receiver(request)
    found = receiver.get(mail_id) if receiver else None
    if found is None:
        raise NotFound("page_not_found", "this mail is not there (any more)")
    return found


@router.get("/demo/mail/{mail_id}")
def one(visit: VisitDep, mail_id: str) -> Response:
    """One mail: its headers, its plain text and its HTML in a frame."""
    return visit.page("demo/one_mail.html", mail=_mail(visit.request, mail_id))


@router.get("/demo/mail/{mail_id}/html")
def html(request: Request, mail_id: str) -> Response:
    """The HTML part alone, under a policy that allows it nothing but its own styles."""
    # Our pages refuse to be framed: what is pressed in the mail opens in the whole window.
    shown = _mail(request, mail_id).html.replace("<head>", '<head><base target="_top">', 1)
    return HTMLResponse(
        shown,
        headers={"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"},
    )
