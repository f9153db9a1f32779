"""The exposure audit of a hub: who was reached, opened, answered and was chosen, and whether
groups were treated alike; as a page, a plot and files."""

from datetime import datetime, time, timedelta

from fastapi import APIRouter, Response

from api.errors import Invalid
from api.i18n import BRUSSELS
from api.pages.fields import day
from api.pages.visit import CoordinatorVisit, Visit
from api.services import exposure, exposure_report
from api.services.exposure import ExposureAudit
from models import Hub

router = APIRouter()
YEAR = timedelta(days=365)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _audit(visit: Visit, hub: str, since: str, until: str) -> ExposureAudit:
    """The audit of one of the visitor's hubs; both days are included. Raises Invalid."""
    today = visit.desk.today
    first = day(since, "since") or today - YEAR
    last = day(until, "until") or today
    if last < first:
        raise Invalid("period_backwards", f"until: {last} comes before {first}", field="until")
    begin = datetime.combine(first, time(), BRUSSELS)
    end = datetime.combine(last + timedelta(days=1), time(), BRUSSELS)
    return exposure.audit(visit.desk, hub or min(visit.desk.actor.hubs), begin, end)


@router.get("/hub/neutrality")
def show(visit: CoordinatorVisit, hub: str = "", since: str = "", until: str = "") -> Response:
    """The audit in plain words."""
    audit = _audit(visit, hub, since, until)
    return visit.page(
        "hub/neutrality.html",
        audit=audit,
        hub=visit.desk.session.get_one(Hub, audit.hub_id),
        hubs=[visit.desk.session.get_one(Hub, each) for each in sorted(visit.desk.actor.hubs)],
        since=audit.since.astimezone(BRUSSELS).date(),
        until=(audit.until.astimezone(BRUSSELS) - timedelta(days=1)).date(),
        comparisons=[
            (
                exposure_report.title(visit.language, each),
                exposure_report.conclusion(visit.language, each),
            )
            for each in audit.comparisons
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
        media_type=XLSX,
        headers={"Content-Disposition": 'attachment; filename="neutrality.xlsx"'},
    )
