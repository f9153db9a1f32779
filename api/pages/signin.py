"""Signing in by mailed link, signing out, sessions and API tokens of one's own."""

import json
from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.encoders import jsonable_encoder

from api.errors import Gone
from api.i18n import LANGUAGES
from api.pages.fields import Text, Texts, caught
from api.pages.visit import YEAR, MemberVisit, Visit, VisitDep
from api.services import links, people, retention, signin
from api.web import COOKIE, LANGUAGE_COOKIE, Csrf
from models import BrowserSession, Company, Firm, Hub, Person

router = APIRouter()
BROWSER_COOKIE = "maatmatch_browser"


@router.get("/sign-in")
def ask(visit: VisitDep, next: str = "/") -> Response:
    """The form that asks for a mail address."""
    return visit.page(
        "account/sign_in.html", form={"email": "", "next": signin.safe_path(next)}, errors={}
    )


@router.post("/sign-in")
def mail(visit: VisitDep, email: Text = "", next: Annotated[str, Form()] = "/") -> Response:
    """Mail a link; the answer is the same whether the address is known or not."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        signin.mail_link(visit.desk, email, next)
        return visit.mailed("account/link_sent.html", email=email.strip())
    form = {"email": email, "next": signin.safe_path(next)}
    return visit.page("account/sign_in.html", 422, form=form, errors=errors)


@router.get("/sign-in/{secret}")
def link(visit: VisitDep, secret: str) -> Response:
    """A button: programs that open links in mails must not use the link up.

    Who used it before and is still signed in here goes on to where it leads.
    """
    try:
        return _link_page(visit, secret)
    except Gone:
        used = signin.used_by(visit.desk, secret)
        if used is None:
            raise
        return visit.go(used.next)


@router.post("/sign-in/{secret}/again")
def again(visit: VisitDep, secret: str) -> Response:
    """Mail another link to whoever got this one, which no longer works."""
    signin.mail_again(visit.desk, secret)
    return visit.mailed("account/link_sent.html", email="")


def _link_page(visit: Visit, secret: str, status: int = 200) -> Response:
    """Who is about to be signed in, with a form that only this browser can send."""
    found = signin.look_up(visit.desk, secret)
    browser = visit.request.cookies.get(BROWSER_COOKIE) or links.new_secret()
    response = visit.page(
        "account/use_link.html",
        status,
        secret=secret,
        confirms=found.next.endswith("/confirm"),
        email=visit.desk.session.get_one(Person, found.person_id).email,
        signed_in_as=visit.signed_in.actor.email,
        proof=signin.form_of(visit.desk, secret, browser),
        again=status != 200,
    )
    response.set_cookie(
        BROWSER_COOKIE,
        browser,
        max_age=int(signin.SIGN_IN_LINK.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=visit.runtime.settings.secure,
    )
    return response


@router.post("/sign-in/{secret}")
def redeem(visit: VisitDep, secret: str, proof: Text = "") -> Response:
    """Use the link up and open the page it was for.

    Only from the form that this browser was shown: another site could otherwise sign its
    visitors in as somebody else, and have them type their needs there.
    """
    browser = visit.request.cookies.get(BROWSER_COOKIE, "")
    if not signin.is_form_of(visit.desk, secret, browser, proof):
        return _link_page(visit, secret, 403)
    cookie, session, path = signin.redeem(
        visit.desk, secret, visit.request.headers.get("user-agent", "")
    )
    response = signed_in(visit, cookie, session, home_of(visit, session) if path == "/" else path)
    response.delete_cookie(BROWSER_COOKIE)
    return response


def signed_in(visit: Visit, cookie: str, session: BrowserSession, path: str) -> Response:
    """The response that gives a browser its session."""
    response = visit.go(path)
    secure = visit.runtime.settings.secure
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(signin.SESSION.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=secure,
    )
    person = visit.desk.session.get_one(Person, session.person_id)
    response.set_cookie(
        LANGUAGE_COOKIE, person.language, max_age=YEAR, samesite="lax", secure=secure
    )
    return response


def home_of(visit: Visit, session: BrowserSession) -> str:
    """The page a person works on, by role."""
    person = visit.desk.session.get_one(Person, session.person_id)
    actor = people.actor_of(visit.desk, person)
    if actor.hubs:
        return "/hub"
    if actor.firms:
        return "/needs"
    return "/leads" if actor.companies else "/account"


@router.post("/sign-out", dependencies=[Csrf])
def sign_out(visit: MemberVisit) -> Response:
    """End this browser's session."""
    session = visit.signed_in.session
    if session is not None:
        signin.sign_out(visit.desk, session.person_id, session.id)
    response = visit.go("/", "signed_out")
    response.delete_cookie(COOKIE)
    return response


@router.get("/account")
def account(visit: MemberVisit) -> Response:
    """Who one is here: roles, language, devices, tokens."""
    return _account(visit)


def _account(visit: Visit, secret: str = "", errors: dict[str, str] | None = None) -> Response:
    desk = visit.desk
    person_id = desk.actor.person_id or ""
    held = people.memberships(desk, person_id)
    names = {}
    for each in held:
        owner = (
            desk.session.get(Hub, each.hub_id or "")
            or desk.session.get(Firm, each.firm_id or "")
            or desk.session.get(Company, each.company_id or "")
        )
        names[each.id] = owner.name if owner else ""
    return visit.page(
        "account/account.html",
        422 if errors else 200,
        person=desk.session.get_one(Person, person_id),
        memberships=held,
        names=names,
        sessions=signin.sessions(desk, person_id),
        present=visit.signed_in.session,
        tokens=signin.tokens(desk, person_id),
        scopes=signin.SCOPES,
        secret=secret,
        errors=errors or {},
    )


@router.post("/account/language", dependencies=[Csrf])
def language(visit: MemberVisit, language: Text = "nl") -> Response:
    """The language of one's pages and mails."""
    if language in LANGUAGES:
        person = visit.desk.session.get_one(Person, visit.desk.actor.person_id)
        person.language = language
    return visit.go(f"/account?lang={language}", "profile")


@router.post("/account/sessions/end", dependencies=[Csrf])
def end_session(visit: MemberVisit, session: Text = "") -> Response:
    """Sign out one device, or everywhere when none is named."""
    signin.sign_out(visit.desk, visit.desk.actor.person_id or "", session or None)
    return visit.go("/account" if session else "/", "session_ended" if session else "signed_out")


@router.post("/account/tokens", dependencies=[Csrf])
def new_token(
    visit: MemberVisit,
    membership: Text = "",
    name: Text = "",
    scopes: Texts = [],  # noqa: B006
) -> Response:
    """A new API token; its secret is shown once."""
    errors: dict[str, str] = {}
    secret = ""
    with caught(visit, errors):
        secret, _ = signin.new_token(visit.desk, membership, name, scopes)
    return _account(visit, secret, errors)


@router.post("/account/tokens/revoke", dependencies=[Csrf])
def revoke_token(visit: MemberVisit, token: Text = "") -> Response:
    """Make a token worthless."""
    signin.revoke_token(visit.desk, token)
    return visit.go("/account", "token_revoked")


@router.get("/account/data.json")
def own_data(visit: MemberVisit) -> Response:
    """Everything that is kept about oneself, to take along (GDPR art. 15 and 20)."""
    data = retention.export(visit.desk, visit.desk.actor.person_id or "")
    return Response(
        json.dumps(jsonable_encoder(data), ensure_ascii=False, indent=1),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="my-data.json"'},
    )


@router.get("/account/erase")
def erase_page(visit: MemberVisit) -> Response:
    """Ask once more: erasing cannot be undone."""
    return visit.page("account/erase.html")


@router.post("/account/erase", dependencies=[Csrf])
def erase(visit: MemberVisit) -> Response:
    """Erase oneself (GDPR art. 17); what proves neutrality stays without the name."""
    retention.erase(visit.desk, visit.desk.actor.person_id or "")
    response = visit.go("/", "erased")
    response.delete_cookie(COOKIE)
    return response
