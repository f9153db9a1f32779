"""The exposure audit of a hub: as JSON, and as the tables its page gives."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Query, Response

from api.routes.access import FOUND, HubsRead, Lang, PathId, noun
from api.schemas.exposure import ComparisonOut, ExposureAuditOut, ExposureOut
from api.services import exposure, exposure_report
from api.services.exposure import ExposureAudit

router = noun("hubs")
CSV = "text/csv"


def _file(kind: str) -> dict[int | str, dict[str, Any]]:
    """The documentation of an answer that is a file of this kind."""
    schema = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"content": {kind: schema}}, **FOUND}


def get_audit(
    desk: HubsRead,
    hub_id: PathId,
    since: Annotated[date | None, Query(description="first day; else a year back")] = None,
    until: Annotated[date | None, Query(description="last day; else today")] = None,
) -> ExposureAudit:
    return exposure.of_days(desk, hub_id, since, until)


AuditDep = Annotated[ExposureAudit, Depends(get_audit)]


@router.get("/hubs/{hub_id}/exposure", responses=FOUND)
def read_exposure(audit: AuditDep, lang: Lang) -> ExposureAuditOut:
    """Leads, opens, answers and choices per company, beside what eligibility alone predicts.

    With exact tests for partners of the hub, newcomers and French speakers. The hub's
    coordinators; scope `hubs:read`.
    """
    return ExposureAuditOut(
        hub_id=audit.hub_id,
        since=audit.first_day,
        until=audit.last_day,
        broadcasts=audit.broadcasts,
        left_out=audit.left_out,
        added=audit.added,
        companies=[ExposureOut.model_validate(each) for each in audit.companies],
        comparisons=[
            ComparisonOut(
                group=each.group,
                measure=each.measure,
                title=exposure_report.title(lang, each),
                conclusion=exposure_report.conclusion(lang, each),
                **asdict(each.test),
            )
            for each in audit.comparisons
        ],
    )


@router.get(
    "/hubs/{hub_id}/exposure.csv",
    response_class=Response,
    responses=_file(CSV),
)
def read_exposure_as_csv(audit: AuditDep) -> Response:
    """The same, one line per company. The hub's coordinators; scope `hubs:read`."""
    return Response(exposure_report.write_csv(audit), media_type=CSV)


@router.get(
    "/hubs/{hub_id}/exposure.xlsx",
    response_class=Response,
    responses=_file(exposure_report.XLSX),
)
def read_exposure_as_xlsx(audit: AuditDep, lang: Lang) -> Response:
    """The same, companies and comparisons as two sheets. The hub's coordinators."""
    return Response(exposure_report.write_xlsx(audit, lang), media_type=exposure_report.XLSX)
