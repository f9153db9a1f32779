"""The coordinator's page of one need: beside its reading, every company judged; and the deeds."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import select

from api.errors import Conflict, Invalid, Problem
from api.pages import words
from api.pages.facts import FactsDep
from api.pages.fields import Text, Texts, caught, moment
from api.pages.maps import Map
from api.pages.visit import CoordinatorVisit, Visit
from api.services import (
    attachments,
    authorisation,
    broadcasts,
    calibrations,
    contacts,
    delays,
    exceptions,
    hubs,
    leads,
    matching,
    needs,
    notes,
    questions,
    referrals,
)
from api.services.desk import Desk
from api.services.matching import Assessment, Judged, Weighed
from api.web import Csrf
from matcher.calibration import ALPHAS
from matcher.neutrality import neutral_order
from models import Firm, Hub, Need, Person
from models.need import WorkPlace
from models.states import NeedState

router = APIRouter()
WAITING = (NeedState.SUBMITTED, NeedState.RETURNED)


@router.get("/hub/needs/{need_id}")
def show(
    visit: CoordinatorVisit, need_id: str, alpha: str = "", position: str = "", add: str = ""
) -> Response:
    """One need, what was understood, and every company of the territory judged for it.

    `position` (on the slider) or `alpha` asks what another threshold would do; `add` is the
    activity of unasked work to be filled in as a new step.
    """
    return page(visit, need_id, _asked(alpha, position), add=add)


@router.get("/hub/needs/{need_id}/threshold")
def threshold(visit: CoordinatorVisit, need_id: str, position: str = "") -> Response:
    """What the threshold at a place on the slider does: that part of the page alone."""
    desk = visit.desk
    need = needs.with_steps(desk, authorisation.need_as_coordinator(desk, need_id))
    weighed = matching.weigh(desk, need)
    assessment = weighed.judged()
    return visit.page(
        "hub/what_if.html",
        hub=weighed.hub,
        assessment=assessment,
        what_if=_what_if(weighed, assessment, _asked("", position)),
        basis=calibrations.basis(desk),
    )


def page(
    visit: Visit,
    need_id: str,
    asked: float | None = None,
    errors: dict[str, str] | None = None,
    form: dict[str, Any] | None = None,
    add: str = "",
) -> Response:
    """The page; `asked` is an alpha to try, `form` what was typed in the form `form["form"]`."""
    desk = visit.desk
    need = needs.with_steps(desk, authorisation.need_as_coordinator(desk, need_id))
    contacts.seen(desk, need)
    hub = desk.session.get_one(Hub, need.hub_id)
    weighed = matching.weigh(desk, need)
    assessment = weighed.judged()
    made = {each.company_id: each for each in exceptions.of_need(desk, need.id)}
    labels = {each.code: each.label(visit.language) for each in visit.runtime.activities.all}
    return visit.page(
        "hub/need.html",
        422 if errors else 200,
        need=need,
        hub=hub,
        firm=desk.session.get_one(Firm, need.firm_id),
        waiting=need.state in WAITING,
        assessment=assessment,
        eligible=_in_neutral_order(need, assessment.eligible),
        excluded=_nearest_first(assessment),
        exceptions=made,
        recipients=len(broadcasts.recipients(assessment, list(made.values()))),
        what_if=_what_if(weighed, assessment, asked),
        basis=calibrations.basis(desk),
        alphas=ALPHAS,
        position=_position(asked or hub.alpha),
        own_position=_position(hub.alpha),
        labels=labels,
        unasked=matching.unasked(visit.runtime, need),
        add=add,
        certificates=visit.runtime.certificates,
        attachments=attachments.of_need(desk, need.id),
        broadcast=leads.present(desk, need.id),
        questions=questions.of_need(desk, need.id),
        referrals=referrals.of_need(desk, need),
        hubs=[each for each in hubs.all_hubs(desk) if each.id != hub.id],
        **_notes(desk, need.id),
        map=Map.of(visit.runtime).need(need).companies(assessment.judged),
        errors=errors or {},
        form=form or {},
        work_places=[each.value for each in WorkPlace],
    )


def _in_neutral_order(need: Need, judged: tuple[Judged, ...]) -> list[Judged]:
    by_id = {each.company.id: each for each in judged}
    return [by_id[company_id] for company_id in neutral_order(need.id, by_id)]


def _nearest_first(assessment: Assessment) -> list[Judged]:
    """Those not eligible, nearest to eligible first: where a mistake would be found."""
    out = [each for each in assessment.judged if not each.verdict.eligible]
    return sorted(
        out, key=lambda each: (len(each.verdict.against), -each.match.probability, each.company.id)
    )


def _asked(alpha: str, position: str) -> float | None:
    """The alpha at a place on the slider, or as it was given; None when neither is one."""
    places = {str(place): each for place, each in enumerate(ALPHAS, 1)}
    if position in places:
        return places[position]
    try:
        wanted = float(alpha)
    except ValueError:
        return None
    return wanted if hubs.LEAST_ALPHA <= wanted <= hubs.MOST_ALPHA else None


def _position(alpha: float) -> int:
    """The place on the slider whose threshold is in force under this alpha."""
    return max(1, sum(each <= alpha for each in ALPHAS))


def _what_if(weighed: Weighed, present: Assessment, wanted: float | None) -> dict[str, Any] | None:
    """Who would join or fall away under another alpha; None when it is the hub's own."""
    if wanted is None or wanted == weighed.hub.alpha:
        return None
    other = weighed.judged(alpha=wanted)
    now = {each.company.id: each for each in present.eligible}
    then = {each.company.id: each for each in other.eligible}
    return {
        "alpha": wanted,
        "threshold": other.threshold,
        "eligible": len(then),
        "added": [each for key, each in then.items() if key not in now],
        "missed": [each for key, each in now.items() if key not in then],
    }


def _notes(desk: Desk, need_id: str) -> dict[str, Any]:
    """The notes to be read beside the need, and who wrote them."""
    found = [each for each in notes.of_need(desk, need_id) if each.removed_at is None]
    people = desk.session.scalars(
        select(Person).where(Person.id.in_([each.author_id for each in found]))
    )
    return {"notes": found, "authors": {each.id: each.name or each.email for each in people}}


@router.post("/hub/needs/{need_id}/steps", dependencies=[Csrf])
def steps(
    visit: CoordinatorVisit,
    need_id: str,
    text: Texts = [],  # noqa: B006
    first: Texts = [],  # noqa: B006
    second: Texts = [],  # noqa: B006
) -> Response:
    """The coordinator's reading: per step a text and up to two kinds of work by name.

    A step whose text was emptied is dropped.
    """
    codes = {
        each.label(language).casefold(): each.code
        for each in visit.runtime.activities.all
        for language in ("nl", "fr", "en")
    } | {each.code: each.code for each in visit.runtime.activities.all}
    try:
        corrected = []
        for words_of_step, *names in zip(text, first, second, strict=True):
            named = [name.strip() for name in names if name.strip()]
            found = [codes.get(name.casefold(), name) for name in named]
            if words_of_step.strip():
                corrected.append((words_of_step, list(dict.fromkeys(found))))
        needs.correct_steps(visit.desk, need_id, corrected)
    except (Invalid, ValueError) as error:
        problem = error if isinstance(error, Problem) else Invalid("steps", str(error))
        typed = [list(row) for row in zip(text, first, second, strict=False)]
        errors = {"steps": words.problem(visit.language, problem)}
        return page(visit, need_id, errors=errors, form={"steps": typed})
    return visit.go(f"/hub/needs/{need_id}", "steps")


@router.post("/hub/needs/{need_id}/facts", dependencies=[Csrf])
def facts(visit: CoordinatorVisit, need_id: str, form: FactsDep) -> Response:
    """Put the facts of a waiting need right; the firm's own text never changes."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        needs.change_facts(visit.desk, need_id, form.values())
        return visit.go(f"/hub/needs/{need_id}", "facts")
    return page(visit, need_id, errors=errors)


@router.get("/hub/needs/{need_id}/approve")
def approve_page(visit: CoordinatorVisit, need_id: str) -> Response:
    """The last look before release: who gets it, when, until when. There is no undo."""
    try:
        return _approve_page(visit, need_id, {})
    except Conflict:
        return visit.go(f"/hub/needs/{need_id}", "seen_to")


def _approve_page(visit: Visit, need_id: str, errors: dict[str, str]) -> Response:
    desk = visit.desk
    need = needs.with_steps(desk, authorisation.need_as_coordinator(desk, need_id))
    exceptions.require_waiting(need)
    contacts.seen(desk, need)
    hub = desk.session.get_one(Hub, need.hub_id)
    assessment = matching.assess(desk, need)
    made = exceptions.of_need(desk, need.id)
    chosen = broadcasts.recipients(assessment, made)
    names = {each.company.id: each.company.name for each in assessment.judged}
    return visit.page(
        "hub/approve.html",
        422 if errors else 200,
        need=need,
        hub=hub,
        content=broadcasts.content_of(desk, need, hub),
        certificates=visit.runtime.certificates,
        attachments=attachments.of_need(desk, need.id),
        fits=assessment.fits or assessment.least is None or bool(made),
        recipients=sorted(chosen, key=lambda each: each.company.name),
        exceptions=[(each, names.get(each.company_id, "")) for each in made],
        threshold=assessment.threshold,
        basis=calibrations.basis(desk),
        deadline=broadcasts.default_deadline(hub, desk.at),
        delay=delays.present(desk),
        errors=errors,
    )


@router.post("/hub/needs/{need_id}/approve", dependencies=[Csrf])
def approve(visit: CoordinatorVisit, need_id: str, deadline: Text = "") -> Response:
    """Release the need to its whole eligible set."""
    savepoint = visit.desk.session.begin_nested()
    try:
        broadcasts.approve(visit.desk, need_id, deadline=moment(deadline, "deadline"))
        savepoint.commit()
    except Conflict as problem:
        savepoint.rollback()
        if problem.code != "wrong_state":
            raise
        return visit.go(f"/hub/needs/{need_id}", "seen_to")
    except Invalid as problem:
        savepoint.rollback()
        errors = {"deadline": words.problem(visit.language, problem)}
        return _approve_page(visit, need_id, errors)
    return visit.go(f"/hub/needs/{need_id}/broadcast", "approved")
