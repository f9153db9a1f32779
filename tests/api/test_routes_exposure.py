"""The exposure audit over the API says what its page says; the ledger is read page by page."""

import csv
import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import event

from tests.api.stage import TEXT, Theatre


def test_the_audit_is_the_same_in_every_form(theatre: Theatre) -> None:
    hub = theatre.stage.ids["hub"]
    with theatre.play("coordinator") as client:
        found = client.get(f"/v1/hubs/{hub}/exposure?lang=en").json()
        table = client.get(f"/v1/hubs/{hub}/exposure.csv")
        book = client.get(f"/v1/hubs/{hub}/exposure.xlsx")
    assert found["broadcasts"] == 2
    wash = next(c for c in found["companies"] if c["company_id"] == theatre.stage.ids["company"])
    assert (wash["leads"], wash["answers"], wash["choices"]) == (2, 2, 1)
    assert all(each["conclusion"] and each["title"] for each in found["comparisons"])
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == [c["name"] for c in found["companies"]]
    sheet = load_workbook(io.BytesIO(book.content))["companies"]
    assert sheet.max_row == 1 + len(rows)


def test_the_audit_of_a_period_of_long_ago_is_empty_and_a_wrong_one_refused(
    theatre: Theatre,
) -> None:
    hub = theatre.stage.ids["hub"]
    with theatre.play("coordinator") as client:
        past = client.get(f"/v1/hubs/{hub}/exposure?since=2020-01-01&until=2020-01-01").json()
        assert (past["since"], past["until"], past["broadcasts"]) == ("2020-01-01",) * 2 + (0,)
        for period, field in (
            ("since=2026-02-01&until=2026-01-01", "until"),
            ("since=0001-01-01", "since"),
            ("until=9999-12-31", "until"),
            ("since=yesterday", "since"),
        ):
            answer = client.get(f"/v1/hubs/{hub}/exposure?{period}")
            assert (answer.status_code, answer.json()["field"]) == (422, field), period


def test_one_page_of_the_ledger_reads_one_page(theatre: Theatre) -> None:
    path = f"/v1/broadcasts/{theatre.stage.ids['broadcast']}/ledger"
    with theatre.play("company") as client:
        whole = client.get(f"{path}?limit=200").json()["items"]
        asked: list[tuple[str, object]] = []
        engine = theatre.app.state.runtime.engine

        @event.listens_for(engine, "before_cursor_execute")
        def _note(_c: object, _k: object, statement: str, values: object, *_: object) -> None:
            if "FROM ledger_entry" in statement:
                asked.append((statement, values))

        seen, cursor = [], ""
        while cursor is not None:
            page = client.get(f"{path}?limit=2{cursor and f'&cursor={cursor}'}").json()
            seen += page["items"]
            cursor = page["next_cursor"]
    assert seen == whole
    assert len(asked) == (len(whole) + 1) // 2
    assert all("LIMIT" in statement for statement, _ in asked)


@pytest.mark.parametrize("role", ["firm", "coordinator"])
def test_an_unknown_hub_is_a_field_that_is_wrong(theatre: Theatre, role: str) -> None:
    need = {"text": TEXT, "place": "2800", "hub": "atlantis"}
    if role == "coordinator":
        need |= {"firm_name": "X", "contact_name": "X", "contact_email": "x@firm.example"}
    with theatre.play(role) as client:
        answer = client.post("/v1/needs", json=need)
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_hub")
        assert answer.json()["field"] == "hub"
        waiting = theatre.stage.ids["waiting"]
        body = {"kind": "hub", "to_hub": "atlantis", "message": "Dit is iets voor jullie."}
        answer = client.post(f"/v1/needs/{waiting}/refer", json=body)
        assert answer.status_code == (422 if role == "coordinator" else 403)
