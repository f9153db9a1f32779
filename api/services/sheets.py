"""Tables people keep: CSV, XLSX and JSON lines read into rows, with their line numbers."""

import csv
import io
import json
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from api.errors import Invalid

MOST_ROWS = 50_000
MOST_UNPACKED = 100_000_000  # bytes: an XLSX is a zip, and a small one can hold gigabytes
# NUL, which PostgreSQL does not keep, and half a character, which JSON writes and UTF-8 cannot.
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Row:
    """One row of a table: its line number as the person sees it, and its cells as text."""

    number: int
    cells: dict[str, str]
    beyond: str = ""  # what stands in cells to the right of the last column with a name

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")


def read_rows(
    name: str, content: bytes, required: Sequence[str], known: Sequence[str]
) -> list[Row]:
    """The rows of a file, by its extension. Empty rows are left out.

    Raises Invalid when the file cannot be read or lacks a required column, saying which
    columns it has and which it needs.
    """
    kind = name.lower().rpartition(".")[2]
    if kind == "jsonl":
        rows = list(_json_lines(content))
        columns = {column for row in rows for column in row.cells}
    elif kind in ("xlsx", "xlsm"):
        columns, rows = _table(_xlsx(content))
    elif kind in ("csv", "txt", "tsv"):
        columns, rows = _table(_csv(content))
    else:
        raise Invalid("unknown_format", f"{name}: give a .csv, .xlsx or .jsonl file", field="file")
    missing = [column for column in required if column not in columns]
    if missing:
        raise Invalid(
            "missing_columns",
            f"{name} lacks the column(s) {', '.join(missing)}; it has "
            f"{', '.join(sorted(columns)) or 'none'}. Known columns: {', '.join(known)}",
            field="file",
            missing=missing,
        )
    if len(rows) > MOST_ROWS:
        raise Invalid("too_many_rows", f"{name}: {len(rows)} rows, at most {MOST_ROWS} at once")
    return rows


def _decode(content: bytes) -> str:
    """UTF-8, or as spreadsheets still write it: Windows-1252, or UTF-16 with its mark.

    Raises Invalid for anything else.
    """
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        try:
            return _UNKEPT.sub("", content.decode("utf-16"))
        except UnicodeDecodeError:
            raise Invalid(
                "bad_encoding", "the file is not UTF-8; save it as CSV (UTF-8)", field="file"
            ) from None
    if b"\x00" in content[:4000]:
        raise Invalid("not_text", "this is not a text file; save it as CSV (UTF-8) or XLSX")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid("bad_encoding", "the file is not UTF-8; save it as CSV (UTF-8)", field="file")


def _csv(content: bytes) -> Iterator[list[str]]:
    text = _decode(content)
    header = text.splitlines()[0] if text.strip() else ""
    delimiter = max(";,\t", key=header.count)  # Belgian spreadsheets write semicolons
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise Invalid(
            "bad_csv", f"the CSV cannot be read: {error}; is a quote left open?", field="file"
        ) from None


def _xlsx(content: bytes) -> Iterator[list[str]]:
    try:
        with ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > MOST_UNPACKED:
            raise Invalid(
                "too_many_rows",
                f"the XLSX unpacks to {unpacked:,} bytes, at most {MOST_UNPACKED:,}; split it",
                field="file",
            )
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            # Read as it comes: a sheet that breaks off halfway shows it only there.
            for cells in book.worksheets[0].iter_rows(values_only=True):
                yield [_cell(value) for value in cells]
        finally:
            book.close()
    except (
        BadZipFile, InvalidFileException, ParseError, LookupError, ValueError, TypeError, OSError
    ) as error:  # fmt: skip
        raise Invalid(
            "bad_xlsx", f"the file is no readable XLSX ({error}); save it anew", field="file"
        ) from None


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a postcode or number typed in a spreadsheet
    if hasattr(value, "date") and callable(value.date):
        return str(value.date().isoformat())
    return _UNKEPT.sub("", str(value)).strip()


def _table(lines: Iterator[list[str]]) -> tuple[set[str], list[Row]]:
    header = [name.strip().lower().replace(" ", "_") for name in next(lines, [])]
    rows: list[Row] = []
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) == MOST_ROWS:
            raise Invalid("too_many_rows", f"more than {MOST_ROWS} rows; split the file")
        beyond = " ".join(_cell(cell) for cell in cells[len(header) :] if cell.strip())
        rows.append(
            Row(
                number,
                {name: _cell(cell) for name, cell in zip(header, cells, strict=False)},
                beyond,
            )
        )
    return set(header) - {""}, rows


def _json_lines(content: bytes) -> Iterator[Row]:
    for number, line in enumerate(_decode(content).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except json.JSONDecodeError as error:
            raise Invalid(
                "bad_json", f"line {number} is no JSON: {error.msg}", field="file"
            ) from None
        except (ValueError, RecursionError):  # thousands of digits, or of brackets
            raise Invalid(
                "bad_json", f"line {number} is no JSON that can be read", field="file"
            ) from None
        if not isinstance(found, dict):
            raise Invalid("bad_json", f"line {number}: give an object {{...}}", field="file")
        yield Row(
            number,
            {
                str(key): "|".join(map(_cell, value)) if isinstance(value, list) else _cell(value)
                for key, value in found.items()
            },
        )
