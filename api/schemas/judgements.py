"""Judgements of whether a company suits a need, for the next calibration."""

from typing import Annotated

from pydantic import Field

from api.schemas.base import EXAMPLE_ID, Id, In, Out, Whole, example


class JudgementIn(In):
    """The coordinator's own view: 2 suits exactly, 1 partly, 0 not. For the next calibration."""

    model_config = example(company_id=EXAMPLE_ID, grade=2)

    company_id: Id
    grade: Annotated[Whole, Field(ge=0, le=2)]


class JudgementOut(Out):
    """A judgement that was kept."""

    model_config = example(need_id=EXAMPLE_ID, company_id=EXAMPLE_ID, grade=2)

    need_id: Id
    company_id: Id
    grade: int
