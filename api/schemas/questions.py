"""Questions and their answers; who asked stays hidden."""

from datetime import datetime

from pydantic import Field

from api.schemas.base import EXAMPLE_ID, Id, In, Out, Words, example


class QuestionIn(In):
    """Something you want to know from the firm."""

    model_config = example(text="Is ophalen op zaterdag mogelijk?")

    text: Words = Field(min_length=3, max_length=3000)


class QuestionAnswerIn(In):
    """The firm's answer; it goes to all recipients."""

    model_config = example(answer="Ja, voor tien uur.")

    answer: Words = Field(min_length=1, max_length=5000)


class QuestionOut(Out):
    """A question and, once there is one, its answer."""

    model_config = example(
        id=EXAMPLE_ID,
        need_id=EXAMPLE_ID,
        by="company",
        text="Is ophalen op zaterdag mogelijk?",
        answer="Ja, voor tien uur.",
        answered_at="2027-01-14T10:00:00Z",
        created_at="2027-01-13T08:15:00Z",
    )

    id: Id
    need_id: Id
    by: str = Field(description="company or coordinator; never which company")
    text: str
    answer: str | None
    answered_at: datetime | None
    created_at: datetime
