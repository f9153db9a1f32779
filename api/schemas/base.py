"""What all bodies share: strict types, text the databases can hold, pages, ids."""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints

ID_PATTERN = "^[0-9A-HJKMNP-TV-Z]{26}$"
EXAMPLE_ID = "01KAJ5W3E8Q2XN4T7YB9CZDF6G"

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN), Field(examples=[EXAMPLE_ID])]

# Control characters are refused in single lines, because PostgreSQL cannot hold NUL; free texts
# are cleaned of them by the services, which also know how long each may be.
_LINE = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[str, StringConstraints(pattern=_LINE, max_length=300)]
FilledLine = Annotated[str, StringConstraints(pattern=_LINE, min_length=1, max_length=300)]
Name = Annotated[str, StringConstraints(pattern=_LINE, max_length=200)]
FilledName = Annotated[str, StringConstraints(pattern=_LINE, min_length=1, max_length=200)]
Phone = Annotated[str, StringConstraints(pattern=_LINE, max_length=40)]
ExternalId = Annotated[str, StringConstraints(pattern=_LINE, min_length=1, max_length=100)]
Code = Annotated[str, StringConstraints(pattern="^[a-z0-9-]{1,60}$")]


def _whole_characters(text: str) -> str:
    """JSON can write half of a character (a lone surrogate), which no database can hold."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("the text holds half of a character; send whole ones")
    return text


Words = Annotated[str, AfterValidator(_whole_characters)]

Bool = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]


def example(**shown: Any) -> ConfigDict:
    """The configuration of a body with one example in the document; the rest is inherited."""
    return ConfigDict(json_schema_extra={"examples": [shown]})


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
