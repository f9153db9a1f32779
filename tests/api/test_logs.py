"""Logs: structured, and without personal data or secrets."""

import json
import logging
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.logs import JsonLines
from api.runtime import Runtime


def logged(message: str, **values: str) -> str:
    record = logging.makeLogRecord({"msg": message, "levelname": "ERROR", **values})
    record.exc_info = sys.exc_info() if sys.exc_info()[0] else None
    line = JsonLines().format(record)
    assert json.loads(line)["level"] == "error"
    return line


@pytest.mark.parametrize(
    "place",
    ["/sign-in/{}", "/l/{}", "/feed/{}.json", "/unsubscribe/{}", "/still-right/{}", "mm_{}"],
)
def test_no_secret_address_is_logged(place: str) -> None:
    secret = "01M82CQX1ZCVZ49M10CMSEQHM1.7e33c6987141a194"
    for line in (logged(place.format(secret)), logged("failed", path=place.format(secret))):
        assert "7e33c6987141a194" not in line
        assert "***" in line


def test_what_people_wrote_is_not_in_an_error_of_the_database(runtime: Runtime) -> None:
    name = "Finn " + "Claes"  # a traceback shows lines of this file
    with pytest.raises(DBAPIError) as caught, runtime.sessions.begin() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": name})
    try:
        raise caught.value
    except DBAPIError:
        line = logged("failed")
    assert "nowhere" in line
    assert name not in line
