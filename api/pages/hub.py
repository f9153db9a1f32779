"""The coordinator's room: what needs attention today, all needs, settings, people."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import func, select

from api.errors import Invalid, NotFound
from api.pages.fields import Text, caught, number
from api.pages.visit import CoordinatorVisit, Visit
from api.services import authorisation, calibrations, delays, hubs, matching, people, tasks
from api.services.desk import Desk
from api.services.tasks import Task, TaskKind
from api.web import Csrf
from matcher.calibration import ALPHAS
from models import Broadcast, Hub, Lead, Membership, Need, Person
from models.hub import Policy
from models.states import NeedState

router = APIRouter()
# Where a task is solved, by its kind.
SOLVED_AT = {
    TaskKind.LEAD_UNREACHED: "/companies/{company_id}/edit",
    TaskKind.MAIL_FAILED: "/hub/needs/{need_id}/file?only=mail",
    TaskKind.DEADLINE_TODAY: "/hub/needs/{need_id}/broadcast",
    TaskKind.QUESTION: "/hub/needs/{need_id}#questions",
    TaskKind.RETURNED: "/hub/needs/{need_id}",
    TaskKind.NEED_WAITING: "/hub/needs/{need_id}",
    TaskKind.NEED_NEW: "/hub/needs/{need_id}",
    TaskKind.DECIDING_LONG: "/hub/needs/{need_id}#ask",
    TaskKind.NO_ADDRESS: "/companies/{company_id}/edit",
    TaskKind.BOUNCED_ADDRESS: "/companies/{company_id}/edit",
    TaskKind.STALE_PROFILE: "/companies/{company_id}/edit",
}


@router.get("/hub")
def queue(visit: CoordinatorVisit) -> Response:
    """What needs attention today, most urgent kind first; then what is on its way."""
    desk = visit.desk
    open_needs = desk.session.scalars(
        select(Need)
        .where(
            Need.hub_id.in_(desk.actor.hubs),
            Need.state.in_([NeedState.OPEN, NeedState.DECIDING]),
        )
        .order_by(Need.submitted_at, Need.id)
    ).all()
    todo = _tasks(desk)
    return visit.page(
        "hub/queue.html",
        hubs=_mine(desk),
        todo=todo,
        delay=delays.present(desk),
        count=sum(len(each) for each in todo.values()),
        solved_at={kind.value: path for kind, path in SOLVED_AT.items()},
        open_ones=_open(desk, open_needs),
    )


def _tasks(desk: Desk) -> dict[str, list[Task]]:
    """The tasks of all one's hubs by kind, most urgent first; each once, also when a company
    lies in the territory of two of them."""
    found = {
        task: None for hub_id in sorted(desk.actor.hubs) for task in tasks.of_hub(desk, hub_id)
    }
    by_kind: dict[str, list[Task]] = {kind.value: [] for kind in TaskKind}
    for task in sorted(found, key=lambda each: each.since):
        by_kind[task.kind.value].append(task)
    return {kind: each for kind, each in by_kind.items() if each}


def _mine(desk: Desk) -> list[Hub]:
    return list(
        desk.session.scalars(select(Hub).where(Hub.id.in_(desk.actor.hubs)).order_by(Hub.name))
    )


def _open(desk: Desk, needs: Sequence[Need]) -> list[dict[str, Any]]:
    """Per open need: its deadline, and how many leads are sent, opened and answered."""
    rows = []
    for need in needs:
        row = desk.session.execute(
            select(
                Broadcast.deadline,
                func.count(Lead.id),
                func.count(Lead.opened_at),
                func.count(Lead.answered_at),
            )
            .join(Lead, Lead.broadcast_id == Broadcast.id)
            .where(Broadcast.need_id == need.id)
            .group_by(Broadcast.id)
            .order_by(Broadcast.number.desc())
            .limit(1)
        ).first()
        if row is not None:
            rows.append(
                {
                    "need": need,
                    "deadline": row[0],
                    "leads": row[1],
                    "opened": row[2],
                    "answered": row[3],
                }
            )
    return sorted(rows, key=lambda each: each["deadline"])


@router.get("/hub/needs")
def all_needs(visit: CoordinatorVisit, state: str = "", q: str = "") -> Response:
    """Every need of one's hubs, by state or by words in its title."""
    desk = visit.desk
    mine = Need.hub_id.in_(desk.actor.hubs)
    statement = select(Need).where(mine).order_by(Need.id.desc()).limit(200)
    if state in list(NeedState):
        statement = statement.where(Need.state == NeedState(state))
    if q.strip():
        statement = statement.where(Need.title.icontains(q.strip(), autoescape=True))
    counted = desk.session.execute(
        select(Need.state, func.count()).where(mine).group_by(Need.state)
    )
    return visit.page(
        "hub/needs.html",
        needs=desk.session.scalars(statement).all(),
        counts={row[0].value: row[1] for row in counted},
        states=[each.value for each in NeedState],
        state=state,
        q=q,
    )


@router.get("/hub/settings")
def settings(visit: CoordinatorVisit) -> Response:
    """The terms and the people of one's hubs."""
    return _settings(visit, {}, "")


def _settings(
    visit: Visit, errors: dict[str, str], hub_id: str, typed: dict[str, str] | None = None
) -> Response:
    desk = visit.desk
    staff = desk.session.execute(
        select(Membership, Person)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.hub_id.in_(desk.actor.hubs))
        .order_by(Person.email)
    ).all()
    ranker = matching.calibrated(desk)
    mine = _mine(desk)
    return visit.page(
        "hub/settings.html",
        422 if errors else 200,
        hubs=mine,
        staff=staff,
        thresholds=ranker.thresholds,
        in_force={hub.id: ranker.threshold_for(hub.alpha) for hub in mine},
        basis=calibrations.basis(desk),
        alphas=ALPHAS,
        policies=[each.value for each in Policy],
        errors=errors,
        wrong=hub_id,
        typed=typed or {},
    )


@router.post("/hub/{hub_id}/terms", dependencies=[Csrf])
def terms(
    visit: CoordinatorVisit,
    hub_id: str,
    policy: Text = "",
    alpha: Text = "",
    deadline_days: Text = "",
    reminders: Text = "",
    email: Text = "",
    language: Text = "",
) -> Response:
    """Change the terms for broadcasts to come."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        if policy not in list(Policy):
            raise Invalid("bad_choice", "policy: choose one", field="policy")
        days = number(deadline_days, "deadline_days")
        hubs.change_terms(
            visit.desk,
            hub_id,
            policy=Policy(policy),
            alpha=number(alpha, "alpha"),
            deadline_days=None if days is None else int(days),
            reminders=bool(reminders),
            email=email,
            language=language or None,
        )
        return visit.go("/hub/settings", "terms")
    typed = {
        "policy": policy, "alpha": alpha, "deadline_days": deadline_days,
        "reminders": reminders, "email": email, "language": language,
    }  # fmt: skip
    return _settings(visit, errors, hub_id, typed)


@router.post("/hub/{hub_id}/people", dependencies=[Csrf])
def add_person(
    visit: CoordinatorVisit, hub_id: str, person_email: Text = "", person_name: Text = ""
) -> Response:
    """Let someone else coordinate this hub."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        people.add_coordinator(visit.desk, hub_id, person_email, person_name)
        return visit.go("/hub/settings#people", "person_added")
    typed = {"person_email": person_email, "person_name": person_name}
    return _settings(visit, errors, hub_id, typed)


@router.post("/hub/{hub_id}/people/remove", dependencies=[Csrf])
def remove_person(visit: CoordinatorVisit, hub_id: str, membership: Text = "") -> Response:
    """Take a coordinator's role away; the last one of a hub stays."""
    desk = visit.desk
    authorisation.hub_to_edit(desk, hub_id)
    held = desk.session.get(Membership, membership)
    if held is None or held.hub_id != hub_id:
        raise NotFound("role_not_found", "there is no such role of yours")
    if len(people.coordinators(desk, hub_id)) < 2:
        raise Invalid("last_coordinator", "a hub keeps at least one coordinator")
    people.remove_role(desk, held)
    return visit.go("/hub/settings#people", "person_removed")
