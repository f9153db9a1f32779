"""The form with which moments to meet are proposed, and what its templates need."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends

from api.errors import Invalid
from api.pages.fields import Text, moment
from api.pages.visit import Visit
from models.meeting import Side

MINUTES = (30, 45, 60, 90, 120)


@dataclass
class MeetingForm:
    """What the form about a meeting sends; `act` is the button that was pressed."""

    act: Text = "propose"
    first: Text = ""
    second: Text = ""
    third: Text = ""
    minutes: Text = "60"
    place: Text = ""
    note: Text = ""
    option: Text = ""

    def moments(self) -> list[datetime]:
        """The moments that were filled in. Raises Invalid with the field that is wrong."""
        typed = {"first": self.first, "second": self.second, "third": self.third}
        found = [moment(value, name) for name, value in typed.items()]
        given = [each for each in found if each is not None]
        if not given:
            raise Invalid("missing", "first: give a moment", field="first")
        return given


MeetingDep = Annotated[MeetingForm, Depends()]


def block(
    visit: Visit,
    side: Side,
    form: MeetingForm | None = None,
    errors: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What templates/meetings/block.html needs."""
    return {
        "side": side.value,
        "meeting_form": form or MeetingForm(),
        "errors": errors or {},
        "durations": MINUTES,
        "now": visit.desk.at,
    }
