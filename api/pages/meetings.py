"""The work table: firm and interested company propose moments to meet, take one, move or cancel."""

from fastapi import APIRouter, Response

from api.errors import Invalid
from api.pages import leads
from api.pages.fields import Texts, caught, number
from api.pages.meeting_form import MeetingDep, MeetingForm, block
from api.pages.visit import MemberVisit, Visit, VisitDep
from api.services import answers, authorisation, meeting_options, meetings
from api.web import Csrf
from models import Lead
from models.lead import Outcome
from models.meeting import Side

router = APIRouter()
ACTS = {"propose": "proposed", "take": "agreed", "decline": "declined", "cancel": "cancelled"}


@router.get("/needs/{need_id}/meetings")
def table(visit: MemberVisit, need_id: str) -> Response:
    """The firm's work table: for each interested company what is agreed or proposed."""
    return _table(visit, need_id)


def _table(
    visit: Visit,
    need_id: str,
    *,
    form: MeetingForm | None = None,
    ticked: list[str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    need = authorisation.need_as_firm(visit.desk, need_id)
    rows = [
        {
            "lead": each.lead,
            "company": each.company,
            "table": meeting_options.of_lead(visit.desk, each.lead.id),
        }
        for each in answers.interested(visit.desk, need.id)
        if each.lead.outcome in (None, Outcome.CHOSEN)
    ]
    everybody = [each.lead.id for each in answers.interested(visit.desk, need.id)]
    return visit.page(
        "meetings/table.html",
        422 if errors else 200,
        need=need,
        rows=rows,
        ticked=everybody if ticked is None else ticked,
        open_for_meetings=need.state in meetings.AGREEABLE,
        **block(visit, Side.FIRM, form, errors),
    )


@router.post("/needs/{need_id}/meetings", dependencies=[Csrf])
def propose(
    visit: MemberVisit,
    need_id: str,
    form: MeetingDep,
    leads: Texts = [],  # noqa: B006
) -> Response:
    """The firm proposes moments to the companies it ticked."""
    need = authorisation.need_as_firm(visit.desk, need_id)
    mine = {each.lead.id for each in answers.interested(visit.desk, need.id)}
    chosen = [lead for lead in leads if lead in mine]
    errors: dict[str, str] = {}
    with caught(visit, errors):
        _propose(visit, form, chosen)
        return visit.go(f"/needs/{need.id}/meetings", "meeting_proposed")
    return _table(visit, need.id, form=form, ticked=chosen, errors=errors)


def _propose(visit: Visit, form: MeetingForm, lead_ids: list[str]) -> None:
    minutes = number(form.minutes, "minutes")
    meeting_options.propose(
        visit.desk,
        lead_ids,
        form.moments(),
        minutes=0 if minutes is None else int(minutes),
        place=form.place,
        note=form.note,
    )


@router.post("/leads/{lead_id}/meeting", dependencies=[Csrf])
def act(visit: MemberVisit, lead_id: str, form: MeetingDep) -> Response:
    """Propose, take, decline or cancel, signed in: the company, or the firm for one lead."""
    lead = meeting_options.readable(visit.desk, lead_id)
    if lead.company_id in visit.desk.actor.companies:
        return _act(visit, lead, form, f"/leads/{lead.id}", signed=True)
    return _act(visit, lead, form, f"/needs/{lead.need_id}/meetings", signed=True)


@router.post("/l/{token}/meeting")
def act_by_link(visit: VisitDep, token: str, form: MeetingDep) -> Response:
    """The same by the company's personal link."""
    visit, lead = leads.by_token(visit, token)
    return _act(visit, lead, form, f"/l/{token}", signed=False)


def _act(visit: Visit, lead: Lead, form: MeetingForm, path: str, *, signed: bool) -> Response:
    if form.act not in ACTS:
        raise Invalid("bad_choice", "act: press one of the buttons", field="act")
    errors: dict[str, str] = {}
    with caught(visit, errors):
        if form.act == "take":
            meeting_options.take(visit.desk, form.option)
        elif form.act == "decline":
            meeting_options.decline(visit.desk, lead.id, form.note)
        elif form.act == "cancel":
            meetings.cancel(visit.desk, lead.id)
        else:
            _propose(visit, form, [lead.id])
        return visit.go(f"{path}#meeting", f"meeting_{ACTS[form.act]}")
    if path.startswith("/needs/"):
        return _table(visit, lead.need_id, form=form, ticked=[lead.id], errors=errors)
    return leads.page(visit, lead, path, signed=signed, meeting_form=form, errors=errors)
