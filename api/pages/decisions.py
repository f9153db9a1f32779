"""What a coordinator does with a need beside releasing it: ask, answer, refer, close, take back."""

from typing import Any

from fastapi import APIRouter, Response

from api.errors import Invalid
from api.pages import reviews
from api.pages.fields import Text, caught
from api.pages.visit import CoordinatorVisit, Visit
from api.services import authorisation, needs, questions, referrals
from api.web import Csrf
from models.referral import ReferralKind

router = APIRouter()


def _again(visit: Visit, need_id: str, errors: dict[str, str], name: str, **typed: Any) -> Response:
    """The need's page with the form that was refused, as it was typed."""
    return reviews.page(visit, need_id, errors=errors, form={"form": name} | typed)


@router.post("/hub/needs/{need_id}/ask", dependencies=[Csrf])
def ask(visit: CoordinatorVisit, need_id: str, text: Text = "") -> Response:
    """Ask the firm something."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        questions.ask_firm(visit.desk, need_id, text)
        return visit.go(f"/hub/needs/{need_id}#questions", "asked")
    return _again(visit, need_id, errors, "ask", text=text)


@router.post("/hub/needs/{need_id}/questions/{question_id}", dependencies=[Csrf])
def answer(visit: CoordinatorVisit, need_id: str, question_id: str, answer: Text = "") -> Response:
    """Answer in the firm's name what it told by phone; the answer to a company goes to all."""
    authorisation.need_as_coordinator(visit.desk, need_id)
    errors: dict[str, str] = {}
    with caught(visit, errors):
        question = questions.answer(visit.desk, question_id, answer)
        done = "answered_question" if question.lead_id else "answer_noted"
        return visit.go(f"/hub/needs/{question.need_id}#questions", done)
    return _again(visit, need_id, errors, "answer", question=question_id, answer=answer)


@router.post("/hub/needs/{need_id}/refer", dependencies=[Csrf])
def refer(
    visit: CoordinatorVisit,
    need_id: str,
    kind: Text = "",
    message: Text = "",
    to_hub: Text = "",
    to_name: Text = "",
    to_email: Text = "",
    sure: Text = "",
) -> Response:
    """Hand the need to another hub, partner, expert or funder.

    What goes to a hub cannot be taken back: `sure` says that this is known.
    """
    errors: dict[str, str] = {}
    with caught(visit, errors):
        if kind not in list(ReferralKind):
            raise Invalid("bad_choice", "kind: choose one", field="kind")
        if kind == ReferralKind.HUB and not sure:
            raise Invalid("not_sure", "sure: confirm that the hub takes it over", field="sure")
        referrals.refer(
            visit.desk,
            need_id,
            ReferralKind(kind),
            message,
            to_hub=to_hub,
            to_name=to_name,
            to_email=to_email,
        )
        # A need that went to another hub is no longer ours to open.
        return visit.go("/hub" if kind == "hub" else f"/hub/needs/{need_id}", "referred")
    return _again(
        visit, need_id, errors, "refer",
        kind=kind, message=message, to_hub=to_hub, to_name=to_name, to_email=to_email,
    )  # fmt: skip


@router.post("/hub/needs/{need_id}/no-fit", dependencies=[Csrf])
def no_fit(visit: CoordinatorVisit, need_id: str, reason: Text = "") -> Response:
    """Close the need: no work in it for a maatwerkbedrijf."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        needs.declare_no_fit(visit.desk, need_id, reason)
        return visit.go(f"/hub/needs/{need_id}", "no_fit")
    return _again(visit, need_id, errors, "no_fit", reason=reason)


@router.post("/hub/needs/{need_id}/take-back", dependencies=[Csrf])
def take_back(visit: CoordinatorVisit, need_id: str) -> Response:
    """Undo a referral, a no fit or a withdrawal."""
    needs.take_back(visit.desk, need_id)
    return visit.go(f"/hub/needs/{need_id}", "taken_back")
