"""Judgements of whether a company suits a need, kept for the next calibration."""

from collections.abc import Sequence

from sqlalchemy import select

from api.services import audit, authorisation
from api.services.desk import Desk
from models import JudgementRow
from models.judgement import JudgementSource


def keep(
    desk: Desk, need_id: str, company_id: str, source: JudgementSource, *, grade: int
) -> JudgementRow:
    """Keep a judgement (2 exactly, 1 partly, 0 not); the newest of one source replaces it."""
    row = desk.session.scalar(
        select(JudgementRow).where(
            JudgementRow.need_id == need_id,
            JudgementRow.company_id == company_id,
            JudgementRow.source == source,
        )
    )
    if row is None:
        row = JudgementRow(need_id=need_id, company_id=company_id, source=source)
        desk.session.add(row)
    row.grade = grade
    desk.session.flush()
    return row


def by_coordinator(desk: Desk, need_id: str, company_id: str, grade: int) -> JudgementRow:
    """The coordinator's own judgement: it changes the next calibration, never this broadcast."""
    need = authorisation.need_as_coordinator(desk, need_id)
    audit.record(desk, "judge", "need", need.id, need.hub_id, company_id=company_id, grade=grade)
    return keep(desk, need.id, company_id, JudgementSource.COORDINATOR, grade=grade)


def all_judgements(desk: Desk) -> Sequence[JudgementRow]:
    return desk.session.scalars(select(JudgementRow).order_by(JudgementRow.id)).all()
