"""The facts of a need put right before its release, by its firm or its hub."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response

from api.errors import Invalid
from api.pages.fields import Text, caught, day
from api.pages.visit import MemberVisit, Visit
from api.services import authorisation, needs
from api.web import Csrf
from models import Need
from models.need import WorkPlace
from models.states import NeedState

router = APIRouter()
CHANGEABLE = (NeedState.DRAFT, NeedState.SUBMITTED, NeedState.RETURNED)


@dataclass
class FactsForm:
    """The facts as typed."""

    title: Text = ""
    volume: Text = ""
    rhythm: Text = ""
    starts_on: Text = ""
    work_place: Text = ""
    certificates: Annotated[Sequence[str], Form()] = ()

    def values(self) -> dict[str, Any]:
        """What the services take. Raises Invalid."""
        if self.work_place not in list(WorkPlace):
            raise Invalid("bad_choice", "work_place: choose one", field="work_place")
        return asdict(self) | {
            "starts_on": day(self.starts_on, "starts_on"),
            "work_place": WorkPlace(self.work_place),
        }


FactsDep = Annotated[FactsForm, Depends()]


def facts_of(need: Need) -> FactsForm:
    """The facts as they are, for a form."""
    return FactsForm(
        title=need.title,
        volume=need.volume,
        rhythm=need.rhythm,
        starts_on=need.starts_on.isoformat() if need.starts_on else "",
        work_place=need.work_place.value,
        certificates=need.certificates,
    )


@router.get("/needs/{need_id}/facts")
def show(visit: MemberVisit, need_id: str) -> Response:
    """The facts of a need in a form; once it is released they no longer change."""
    need = authorisation.need_as_firm(visit.desk, need_id)
    if need.state not in CHANGEABLE:
        return visit.go(f"/needs/{need.id}")
    return _page(visit, need, facts_of(need), {})


@router.post("/needs/{need_id}/facts", dependencies=[Csrf])
def change(visit: MemberVisit, need_id: str, form: FactsDep) -> Response:
    """Put the facts right."""
    need = authorisation.need_as_firm(visit.desk, need_id)
    errors: dict[str, str] = {}
    with caught(visit, errors):
        needs.change_facts(visit.desk, need.id, form.values())
        return visit.go(f"/needs/{need.id}", "facts")
    return _page(visit, need, form, errors)


def _page(visit: Visit, need: Need, form: FactsForm, errors: dict[str, str]) -> Response:
    return visit.page(
        "needs/facts.html",
        422 if errors else 200,
        need=need,
        form=form,
        errors=errors,
        certificates=visit.runtime.certificates,
    )
