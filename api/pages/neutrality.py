"""The exposure audit of a hub: who was reached, opened, answered and was chosen, and whether
groups were treated alike; as a page, a plot and files."""

from fastapi import APIRouter, Response

from api.pages.fields import day
from api.pages.visit import CoordinatorVisit, Visit
from api.services import exposure, exposure_report
from api.services.exposure import ExposureAudit
from models import Hub

router = APIRouter()


def _audit(visit: Visit, hub: str, since: str, until: str) -> ExposureAudit:
    """The audit of one of the visitor's hubs; both days are included. Raises Invalid."""
    hub_id = hub or min(visit.desk.actor.hubs)
    return exposure.of_days(visit.desk, hub_id, day(since, "since"), day(until, "until"))


@router.get("/hub/neutrality")
def show(visit: CoordinatorVisit, hub: str = "", since: str = "", until: str = "") -> Response:
    """The audit in plain words."""
    audit = _audit(visit, hub, since, until)
    return visit.page(
        "hub/neutrality.html",
        audit=audit,
        hub=visit.desk.session.get_one(Hub, audit.hub_id),
        hubs=[visit.desk.session.get_one(Hub, each) for each in sorted(visit.desk.actor.hubs)],
        since=audit.first_day,
        until=audit.last_day,
        decided=[
            (
                exposure_report.title(visit.language, each),
                exposure_report.conclusion(visit.language, each),
            )
            for each in audit.comparisons
            if not exposure_report.is_undecided(each)
        ],
        undecided=[
            exposure_report.title(visit.language, each)
            for each in audit.comparisons
            if exposure_report.is_undecided(each)
        ],
    )


@router.get("/hub/neutrality.svg")
def plot(visit: CoordinatorVisit, hub: str = "", since: str = "", until: str = "") -> Response:
    """Leads per company beside how often it was eligible."""
    audit = _audit(visit, hub, since, until)
    return Response(
        exposure_report.plot(audit, visit.language),
        media_type="image/svg+xml",
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )


@router.get("/hub/neutrality.csv")
def as_csv(visit: CoordinatorVisit, hub: str = "", since: str = "", until: str = "") -> Response:
    """One line per company."""
    audit = _audit(visit, hub, since, until)
    return Response(
        exposure_report.write_csv(audit),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="neutrality.csv"'},
    )


@router.get("/hub/neutrality.xlsx")
def as_xlsx(visit: CoordinatorVisit, hub: str = "", since: str = "", until: str = "") -> Response:
    """Companies and comparisons as two sheets."""
    audit = _audit(visit, hub, since, until)
    return Response(
        exposure_report.write_xlsx(audit, visit.language),
        media_type=exposure_report.XLSX,
        headers={"Content-Disposition": 'attachment; filename="neutrality.xlsx"'},
    )
