"""What all bodies share: strict types, text the databases can hold, pages, ids."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

ID_PATTERN = "^[0-9A-HJKMNP-TV-Z]{26}$"
EXAMPLE_ID = "01KAJ5W3E8Q2XN4T7YB9CZDF6G"

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN), Field(examples=[EXAMPLE_ID])]

# One line for names and codes. Control characters are refused here, because PostgreSQL cannot
# hold NUL; the free texts below are cleaned of them by the services.
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=300)]
Words = Annotated[str, StringConstraints(max_length=1_000_000)]

Bool = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]


class In(BaseModel):
    """A body that is sent to us: an unknown field is a mistake, and said to be one."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Out(BaseModel):
    """A body we give."""

    model_config = ConfigDict(from_attributes=True)


Item = TypeVar("Item")


class Page(Out, Generic[Item]):
    """Some items, and where the next ones begin; `next_cursor` is null on the last page."""

    items: list[Item]
    next_cursor: str | None = Field(description="give it as ?cursor= to read on")
