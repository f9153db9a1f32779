"""The exposure audit in plain words, and as files: CSV, XLSX and a plot in SVG."""

import csv
import io
from collections.abc import Iterator
from html import escape

from openpyxl import Workbook

from api.i18n import show_date, show_number, tr
from api.services.exposure import Comparison, ExposureAudit, Group, Measure
from api.wording import N_

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LEVEL = 0.05  # of a two-sided test, by convention
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")  # how a spreadsheet recognises a formula
_COLUMNS = (
    "name", "partner", "new", "language", "eligible", "leads", "late", "opens", "answers",
    "interested", "choices", "expected_choices", "choice_p",
)  # fmt: skip
_TESTS = ("group", "measure", "observed", "expected", "drawn", "p_value", "smallest_p")

_GROUPS = {
    Group.PARTNERS: N_("partners van de hub, tegenover de anderen"),
    Group.NEW: N_("nieuw in het netwerk, tegenover wie er langer is"),
    Group.FRENCH: N_("Franstalig, tegenover Nederlandstalig"),
}
_MEASURES = {
    Measure.LEADS: N_("leads gekregen van wie in aanmerking kwam"),
    Measure.OPENS: N_("leads geopend"),
    Measure.ANSWERS: N_("leads beantwoord"),
    Measure.CHOICES: N_("gekozen onder de geïnteresseerden"),
}
_TOO_FEW = N_("Te weinig om iets te besluiten: zelfs de scheefste uitkomst had toeval kunnen zijn.")
_DIFFERENT = N_(
    "Zo'n verschil komt door toeval zelden voor (p = %(p)s). Dat zegt dat er een verschil is, "
    "niet waarom."
)
_SAME = N_(
    "Geen aanwijzing van ongelijke behandeling (p = %(p)s). Dat bewijst geen gelijkheid: "
    "een klein verschil blijft bij deze aantallen onzichtbaar."
)


def title(language: str, comparison: Comparison) -> str:
    """What is compared, in words."""
    return (
        f"{tr(language, _GROUPS[comparison.group])}: {tr(language, _MEASURES[comparison.measure])}"
    )


def is_undecided(comparison: Comparison) -> bool:
    """Whether there is too little to conclude anything from."""
    return comparison.test.smallest_p > LEVEL


def conclusion(language: str, comparison: Comparison) -> str:
    """What can and cannot be concluded, in plain words."""
    test = comparison.test
    if is_undecided(comparison):
        return tr(language, _TOO_FEW)
    words = _DIFFERENT if test.p_value <= LEVEL else _SAME
    return tr(language, words, p=show_number(language, test.p_value, 3))


def write_csv(audit: ExposureAudit) -> bytes:
    """One line per company; UTF-8 with a mark, as spreadsheets expect. Safe from formulas."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerows(_company_rows(audit))
    return out.getvalue().encode("utf-8-sig")


def write_xlsx(audit: ExposureAudit, language: str) -> bytes:
    """A sheet of companies and a sheet of comparisons with their conclusions."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "companies"
    for row in _company_rows(audit):
        sheet.append(row)
    tests = book.create_sheet("comparisons")
    tests.append([*_TESTS, "conclusion"])
    for each in audit.comparisons:
        test = each.test
        tests.append(
            [
                each.group.value, each.measure.value, test.observed, round(test.expected, 4),
                test.drawn, round(test.p_value, 6), round(test.smallest_p, 6),
                safe(conclusion(language, each)),
            ]
        )  # fmt: skip
    facts = book.create_sheet("period")
    for name in ("since", "until"):
        facts.append([name, getattr(audit, name).isoformat()])
    for name in ("broadcasts", "left_out", "added"):
        facts.append([name, getattr(audit, name)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _company_rows(audit: ExposureAudit) -> Iterator[list[object]]:
    yield list(_COLUMNS)
    for each in audit.companies:
        values = [getattr(each, name) for name in _COLUMNS]
        yield [round(v, 6) if isinstance(v, float) else safe(v) for v in values]


def safe(value: object) -> object:
    """A text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value


_ROW, _LEFT, _WIDE = 26, 220, 460


def plot(audit: ExposureAudit, language: str) -> str:
    """Per company the leads it got (bar) beside how often it was eligible (line), as SVG."""
    most = max((max(each.leads, each.eligible) for each in audit.companies), default=0) or 1
    height = 60 + _ROW * len(audit.companies)
    heading = tr(
        language,
        N_("Leads per maatwerkbedrijf, %(since)s tot %(until)s"),
        since=show_date(language, audit.since),
        until=show_date(language, audit.until),
    )
    legend = tr(language, N_("balk: leads gekregen; streep: hoe vaak in aanmerking"))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDE + 60} {height}" '
        f'role="img" font-family="sans-serif" font-size="13"><title>{escape(heading)}</title>',
        f'<text x="0" y="18" font-weight="bold">{escape(heading)}</text>',
        f'<text x="0" y="38" fill="#555">{escape(legend)}</text>',
    ]
    for position, each in enumerate(audit.companies):
        top = 50 + _ROW * position
        bar, line = (_WIDE * count / most for count in (each.leads, each.eligible))
        name = each.name if len(each.name) <= 30 else each.name[:29] + "\N{HORIZONTAL ELLIPSIS}"
        parts.append(
            f'<text x="{_LEFT - 8}" y="{top + 14}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{_LEFT}" y="{top + 2}" width="{bar:.1f}" height="16" fill="#2f6f4f"/>'
            f'<line x1="{_LEFT + line:.1f}" x2="{_LEFT + line:.1f}" y1="{top}" y2="{top + 20}" '
            f'stroke="#b3261e" stroke-width="3"/>'
            f'<text x="{_LEFT + max(bar, line) + 8:.1f}" y="{top + 14}">'
            f"{each.leads} / {each.eligible}</text>"
        )
    return "\n".join([*parts, "</svg>\n"])
