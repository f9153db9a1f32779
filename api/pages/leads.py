"""One lead, by personal link or signed in: read it, answer it, ask about it.

Opening a link never answers: programs that fetch links in mails would answer for people.
"""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from sqlalchemy import select

from api.errors import Invalid, Problem
from api.pages import words
from api.pages.fields import Text
from api.pages.meeting_form import MeetingForm, block
from api.pages.needs import proof_download
from api.pages.visit import MemberVisit, Visit, VisitDep
from api.services import (
    answers,
    attachments,
    authorisation,
    companies,
    contacts,
    links,
    meeting_options,
    meetings,
    questions,
    renewals,
)
from api.services.desk import Actor
from api.web import Csrf
from models import Broadcast, Collaboration, Company, Correction, Firm, Hub, Lead, Need, VerdictRow
from models.answer import AnswerKind, DeclineReason
from models.lead import Outcome
from models.meeting import Side
from models.states import COLLABORATION_TRANSITIONS, NeedState

router = APIRouter()


@dataclass
class AnswerForm:
    """What the form of an answer sends."""

    kind: Text = ""
    reason: Text = ""
    available_from: Text = ""
    capacity: Text = ""
    note: Text = ""


AnswerDep = Annotated[AnswerForm, Depends()]


def by_token(visit: Visit, token: str) -> tuple[Visit, Lead]:
    """The lead of a personal link; what is done with it is done in the link's name."""
    lead = links.lead_of(visit.desk, token)
    visit.desk = visit.desk.as_actor(Actor(f"lead:{lead.id}"))
    return visit, lead


def own(visit: Visit, lead_id: str) -> Lead:
    """The lead of one's own company, once it is released. Raises NotFound or NotAllowed."""
    return authorisation.lead_as_company(visit.desk, lead_id)


@router.get("/l/{token}")
def by_link(visit: VisitDep, token: str, answer: str = "") -> Response:
    """The whole lead without an account. Opening it notes so, and never answers.

    `answer` is the mail's button that was pressed (interested, not_for_us or question): its form
    stands open, what it sends is still up to the reader.
    """
    visit, lead = by_token(visit, token)
    answers.opened(visit.desk, lead)
    pressed = {"kind": answer} if answer in (*AnswerKind, "question") else None
    return page(visit, lead, f"/l/{token}", signed=False, form=pressed)


@router.post("/l/{token}/answer")
def answer_by_link(visit: VisitDep, token: str, form: AnswerDep) -> Response:
    """Interested, or not for us."""
    visit, lead = by_token(visit, token)
    return _answer(visit, lead, f"/l/{token}", form, signed=False)


@router.post("/l/{token}/question")
def question_by_link(visit: VisitDep, token: str, text: Text = "") -> Response:
    """A question to the firm; question and answer go to all recipients."""
    visit, lead = by_token(visit, token)
    return _ask(visit, lead, f"/l/{token}", text, signed=False)


@router.post("/l/{token}/again")
def link_again(visit: VisitDep, token: str) -> Response:
    """Mail the newest link to the company, when somebody opens one that was replaced."""
    renewals.mail_again(visit.desk, token)
    return visit.mailed("account/link_sent.html", email="")


@router.get("/leads/{lead_id}")
def show(visit: MemberVisit, lead_id: str) -> Response:
    """One lead, signed in."""
    lead = own(visit, lead_id)
    answers.opened(visit.desk, lead)
    return page(visit, lead, f"/leads/{lead.id}", signed=True)


@router.get("/leads/{lead_id}/proof.json")
def proof_file(visit: MemberVisit, lead_id: str) -> Response:
    """The proof of the broadcast as the company may read it: its own verdict, hashes of all."""
    lead = own(visit, lead_id)
    return proof_download(visit, visit.desk.session.get_one(Broadcast, lead.broadcast_id))


@router.post("/leads/{lead_id}/answer", dependencies=[Csrf])
def answer(visit: MemberVisit, lead_id: str, form: AnswerDep) -> Response:
    """Interested, or not for us, signed in."""
    lead = own(visit, lead_id)
    return _answer(visit, lead, f"/leads/{lead.id}", form, signed=True)


@router.post("/leads/{lead_id}/question", dependencies=[Csrf])
def question(visit: MemberVisit, lead_id: str, text: Text = "") -> Response:
    """A question to the firm, signed in."""
    lead = own(visit, lead_id)
    return _ask(visit, lead, f"/leads/{lead.id}", text, signed=True)


@router.get("/unsubscribe/{token}")
def unsubscribe_page(visit: VisitDep, token: str) -> Response:
    """A button that stops reminders; opening the page does nothing."""
    company = companies.load(visit.desk, links.company_to_unsubscribe(visit.desk, token))
    return visit.page("leads/unsubscribe.html", company=company, token=token)


@router.post("/unsubscribe/{token}")
def unsubscribe(visit: VisitDep, token: str) -> Response:
    """Stop reminders in one click (RFC 8058): mail programs post here without a form."""
    company_id = links.company_to_unsubscribe(visit.desk, token)
    desk = visit.desk.as_actor(Actor("unsubscribe", companies=frozenset({company_id})))
    companies.change(desk, company_id, wants_reminders=False)
    return visit.go(f"/unsubscribe/{token}", "unsubscribed")


def _answer(visit: Visit, lead: Lead, path: str, form: AnswerForm, *, signed: bool) -> Response:
    savepoint = visit.desk.session.begin_nested()
    try:
        if form.kind not in list(AnswerKind):
            raise Invalid("bad_choice", "kind: choose an answer", field="kind")
        if form.reason and form.reason not in list(DeclineReason):
            raise Invalid("bad_choice", "reason: choose one", field="reason")
        answers.give(
            visit.desk,
            lead,
            AnswerKind(form.kind),
            reason=DeclineReason(form.reason) if form.reason else None,
            available_from=form.available_from,
            capacity=form.capacity,
            note=form.note,
        )
        savepoint.commit()
    except Problem as problem:
        savepoint.rollback()
        return _refused(visit, lead, path, problem, "kind", asdict(form), signed=signed)
    return visit.go(path, "answer_kept" if form.kind == AnswerKind.INTERESTED else "declined_kept")


def _ask(visit: Visit, lead: Lead, path: str, text: str, *, signed: bool) -> Response:
    savepoint = visit.desk.session.begin_nested()
    try:
        questions.ask(visit.desk, lead, text)
        savepoint.commit()
    except Problem as problem:
        savepoint.rollback()
        return _refused(visit, lead, path, problem, "text", {"text": text}, signed=signed)
    return visit.go(f"{path}#questions", "question_sent")


def _refused(
    visit: Visit,
    lead: Lead,
    path: str,
    problem: Problem,
    field: str,
    form: dict[str, str],
    *,
    signed: bool,
) -> Response:
    """The lead again, with what was typed and what is wrong beside its field."""
    errors = {str(problem.values.get("field", field)): words.problem(visit.language, problem)}
    return page(visit, lead, path, signed=signed, form=form, errors=errors, status=problem.status)


def page(
    visit: Visit,
    lead: Lead,
    path: str,
    *,
    signed: bool,
    form: dict[str, str] | None = None,
    meeting_form: MeetingForm | None = None,
    errors: dict[str, str] | None = None,
    status: int = 0,
) -> Response:
    """The page of a lead for its company, whatever state it is in."""
    desk = visit.desk
    need = desk.session.get_one(Need, lead.need_id)
    broadcast = desk.session.get_one(Broadcast, lead.broadcast_id)
    if lead.outcome is Outcome.CHOSEN:
        contacts.seen(desk, need)
    given = answers.last(desk, lead.id)
    kept: dict[str, Any] = {
        "kind": "",
        "reason": given.reason.value if given and given.reason else "",
        "available_from": given.available_from if given else "",
        "capacity": given.capacity if given else "",
        "note": given.note if given else "",
        "text": "",
    }
    corrections = desk.session.scalars(
        select(Correction)
        .where(Correction.broadcast_id == broadcast.id)
        .order_by(Correction.number)
    ).all()
    collaboration = desk.session.scalar(
        select(Collaboration).where(
            Collaboration.need_id == need.id, Collaboration.company_id == lead.company_id
        )
    )
    verdict = desk.session.scalar(
        select(VerdictRow).where(
            VerdictRow.broadcast_id == broadcast.id, VerdictRow.company_id == lead.company_id
        )
    )
    return visit.page(
        "leads/show.html",
        status or (422 if errors else 200),
        lead=lead,
        need=need,
        content=broadcast.content,
        broadcast=broadcast,
        corrections=corrections,
        attachments=attachments.of_lead(desk, lead),
        company=desk.session.get_one(Company, lead.company_id),
        hub=desk.session.get_one(Hub, need.hub_id),
        questions=[q for q in questions.of_need(desk, need.id) if q.answer or q.lead_id == lead.id],
        given=given,
        answerable=lead.closed_at is None
        and need.state is NeedState.OPEN
        and broadcast.deadline > desk.at,
        collaboration=collaboration,
        next_states=COLLABORATION_TRANSITIONS,
        verdict=verdict,
        form=kept | (form or {}),
        table=meeting_options.of_lead(desk, lead.id),
        meeting_action=f"{path}/meeting",
        may_meet=meetings.possible(desk, lead, need),
        firm=desk.session.get_one(Firm, need.firm_id),
        **block(visit, Side.COMPANY, meeting_form, errors),
        reasons=list(DeclineReason),
        action=path,
        signed=signed,
        certificate_names=visit.runtime.certificates,
    )
