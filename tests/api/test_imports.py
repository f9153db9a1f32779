"""Imports: all rows or none, every bad row explained, nothing doubled."""

import io
import json
import zipfile
from collections.abc import Iterator

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from api.errors import Invalid
from api.runtime import Runtime
from api.services.desk import IMPORT, Desk
from api.services.imports import import_table
from api.services.sheets import MOST_ROWS, MOST_UNPACKED, read_rows
from models import Company, Firm, Need, Offer
from models.company import Recognition
from models.states import NeedState

COMPANIES = (
    "external_id;name;sites;kbo;recognition;certificates;absences;service_radius_km\n"
    "m1;Het Werkt;2800 Mechelen, Zandweg 1|2500 Lier;0403.170.701;recognised;"
    "haccp:+30|vca;+5..+9 verlof;25\n"
    "m2;De Doeners;9000 Gent;;suspended;;;\n"
)


@pytest.fixture
def desk(runtime: Runtime) -> Iterator[Desk]:
    with runtime.sessions.begin() as session:
        yield Desk(session, runtime, IMPORT)


def take_in(desk: Desk, noun: str, text: str, name: str = "table.csv") -> list[tuple[int, str]]:
    report = import_table(desk, noun, name, text.encode())
    return [(bad.number, bad.field) for bad in report.bad]


def test_companies_offers_firms_and_needs_come_in(desk: Desk) -> None:
    assert take_in(desk, "companies", COMPANIES) == []
    assert take_in(desk, "offers", "company;text;on_site\nm1;Wij plooien dozen;ja\n") == []
    assert take_in(desk, "firms", "external_id;name;email\nf1;Bakkerij;b@bakkerij.example\n") == []
    need = {"external_id": "n1", "firm": "f1", "postcode": "2800", "text": "Wie plooit dozen?"}
    assert take_in(desk, "needs", json.dumps(need) + "\n", "needs.jsonl") == []
    company = desk.session.scalars(select(Company).where(Company.external_id == "m2")).one()
    assert company.recognition is Recognition.SUSPENDED
    assert desk.session.scalars(select(Need)).one().state is NeedState.SUBMITTED
    assert desk.session.scalars(select(Offer)).one().on_site
    assert desk.session.scalars(select(Firm)).one().email == "b@bakkerij.example"


def test_importing_twice_doubles_nothing(desk: Desk) -> None:
    take_in(desk, "companies", COMPANIES)
    report = import_table(desk, "companies", "c.csv", COMPANIES.encode())
    assert (report.added, report.changed) == (0, 2)
    assert desk.session.scalar(select(func.count(Company.id))) == 2


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("m3;X;9999 Nergens;;;;;", "sites"),
        ("m3;X;;;;;;", "sites"),
        ("m3;;2800;;;;;", "name"),
        ("m3;X;2800;0403170702;;;;", "kbo"),
        ("m3;X;2800;;misschien;;;", "recognition"),
        ("m3;X;2800;;;bestaat-niet;;", "certificates"),
        ("m3;X;2800;;;haccp:morgen;;", "certificates"),
        ("m3;X;2800;;;;altijd;", "absences"),
        ("m3;X;2800;;;;+9..+5;", "absences"),
        ("m3;X;2800;;;;;ver", "service_radius_km"),
        ("m3;X;2800;;;;;-4", "service_radius_km"),
        ("m1;X;2800;;;;;", "external_id"),
    ],
)
def test_a_bad_row_is_named_with_its_field(desk: Desk, row: str, field: str) -> None:
    assert take_in(desk, "companies", COMPANIES + row + "\n") == [(4, field)]


def test_every_bad_row_is_reported_not_only_the_first(desk: Desk) -> None:
    bad = COMPANIES + "m3;;2800;;;;;\nm4;X;0000;;;;;\n"
    assert [number for number, _ in take_in(desk, "companies", bad)] == [4, 5]


def test_a_kbo_number_already_here_is_refused(desk: Desk) -> None:
    take_in(desk, "companies", COMPANIES)
    again = COMPANIES.splitlines()[0] + "\nm9;Ander;2800;0403170701;;;;\n"
    assert take_in(desk, "companies", again) == [(2, "kbo")]


def test_a_spreadsheet_reads_like_a_csv(desk: Desk) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Name", "Sites", "Service radius km"])
    sheet.append(["Het Werkt", 2800, 12.5])
    content = io.BytesIO()
    book.save(content)
    report = import_table(desk, "companies", "c.xlsx", content.getvalue())
    assert report.bad == []
    company = desk.session.scalars(select(Company)).one()
    assert company.service_radius_km == 12.5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_accents_survive_the_encodings_spreadsheets_write(encoding: str) -> None:
    content = "name;sites\nCrème & Café;2800\n".encode(encoding)
    (row,) = read_rows("c.csv", content, ["name"], [])
    assert row["name"] == "Crème & Café"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("c.csv", b"naam;plaats\na;b\n", "lacks the column"),
        ("c.csv", b"", "lacks the column"),
        ("c.csv", b"\x00\x01\x02", "not a text file"),
        ("c.csv", b"\xff\xfen", "not UTF-8"),
        ("c.xlsx", b"geen zip", "no readable XLSX"),
        ("c.pdf", b"%PDF", "give a .csv"),
        ("c.jsonl", b"{kapot\n", "line 1 is no JSON"),
        ("c.jsonl", b"[1]\n", "give an object"),
        ("c.csv", b'name;sites\n"open;2800\n', "cannot be read"),
        ("c.csv", b"name;sites\n" + b"a;2800\n" * (MOST_ROWS + 1), "split the file"),
        ("c.jsonl", b'{"name": ' + b"[" * 100_000, "line 1 is no JSON"),
        ("c.jsonl", b'{"name": ' + b"9" * 5_000 + b"}", "line 1 is no JSON"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(name: str, content: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read_rows(name, content, ["name", "sites"], ["name", "sites"])


def test_nothing_in_a_table_is_left_out_silently(desk: Desk) -> None:
    assert take_in(desk, "companies", "name;sites\nHet Werkt;2800;25\n") == [(2, "")]
    assert take_in(desk, "companies", "name;sites;;\nHet Werkt;2800;;\n") == []
    table = b"name;sites;e-mail\nDe Doeners;2800;d@doeners.example\n"
    assert import_table(desk, "companies", "c.csv", table).unread == ["e-mail"]


def workbook(sheet: bytes) -> bytes:
    """A workbook whose only sheet holds these bytes instead of what it should."""
    book = Workbook()
    whole, spoilt = io.BytesIO(), io.BytesIO()
    book.save(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(spoilt, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, sheet if part == "xl/worksheets/sheet1.xml" else old.read(part))
    return spoilt.getvalue()


LAUGHS = b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(7))
START = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


@pytest.mark.parametrize(
    ("sheet", "says"),
    [
        (START + b'<row r="1"><c r="A1"', "no readable XLSX"),
        (
            b'<!DOCTYPE l [<!ENTITY a "' + b"x" * 100 + b'">' + LAUGHS + b"]>" + START
            + b'<row r="1"><c r="A1" t="inlineStr"><is><t>&h;</t></is></c></row></sheetData>'
            + b"</worksheet>",
            "no readable XLSX",
        ),
        (START + b" " * MOST_UNPACKED, "unpacks to"),
    ],
    ids=["broken off", "billion laughs", "bomb"],
)  # fmt: skip
def test_a_spoilt_workbook_is_refused(sheet: bytes, says: str) -> None:
    content = workbook(sheet)
    assert len(content) < 200_000
    with pytest.raises(Invalid, match=says):
        read_rows("c.xlsx", content, ["name", "sites"], ["name", "sites"])


@pytest.mark.parametrize("figure", ["nan", "inf", "1e309", "-Infinity"])
def test_a_figure_without_an_end_is_no_number(desk: Desk, figure: str) -> None:
    for column in ("max_open_leads", "service_radius_km"):
        table = f"name;sites;{column}\nHet Werkt;2800;{figure}\n"
        assert take_in(desk, "companies", table) == [(2, column)]


def test_half_characters_and_nul_are_left_out(desk: Desk) -> None:
    row = {"name": "Het\ud800 Werkt", "sites": ["2800\x00"], "external_id": "m\x00\ud8001"}
    assert take_in(desk, "companies", json.dumps(row), "c.jsonl") == []
    company = desk.session.scalars(select(Company)).one()
    assert (company.name, company.external_id) == ("Het Werkt", "m1")
