"""Texts, dates and numbers in nl, fr and en. Dutch is written in the code and templates;
French and English stand in api/locale/<language>.po."""

import gettext
import io
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

LANGUAGES = ("nl", "fr", "en")
BRUSSELS = ZoneInfo("Europe/Brussels")
LOCALE = Path(__file__).parent / "locale"
_BABEL = {"nl": "nl_BE", "fr": "fr_BE", "en": "en_GB"}


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of a language; Dutch needs none."""
    if language == "nl":
        return gettext.NullTranslations()
    with (LOCALE / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def tr(language: str, text: str, **values: object) -> str:
    """The Dutch text in a language, with `%(name)s` filled in."""
    translated = translations(language).gettext(text)
    return translated % values if values else translated


def choose_language(wanted: str | None, accept: str = "") -> str:
    """The language asked for, else the first the browser accepts, else Dutch."""
    if wanted in LANGUAGES:
        return str(wanted)
    for part in accept.lower().split(","):
        code = part.split(";")[0].strip()[:2]
        if code in LANGUAGES:
            return code
    return "nl"


def show_date(language: str, value: date | datetime, style: str = "long") -> str:
    """A day as people write it; a moment is first put in Brussels time."""
    if isinstance(value, datetime):
        value = value.astimezone(BRUSSELS).date()
    return format_date(value, format=style, locale=_BABEL[language])


def show_moment(language: str, value: datetime, style: str = "long") -> str:
    """A moment in Brussels time: day and hour."""
    pattern = {"nl": "d MMMM y 'om' HH:mm", "fr": "d MMMM y 'à' HH:mm", "en": "d MMMM y, HH:mm"}
    if style == "seconds":
        pattern = {key: each.replace("HH:mm", "HH:mm:ss") for key, each in pattern.items()}
    return format_datetime(value.astimezone(BRUSSELS), pattern[language], locale=_BABEL[language])


@lru_cache(maxsize=4096)
def show_number(language: str, value: float, digits: int = 0) -> str:
    """A number with the separators of the language."""
    pattern = "#,##0" + ("." + "#" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=_BABEL[language])


def show_percent(language: str, value: float) -> str:
    """A share between 0 and 1 as a whole percentage; with one decimal below 1 %."""
    digits = 2 if round(value, 2) else 3
    return _percent(language, round(Decimal(str(value)), digits))


@cache
def _percent(language: str, value: Decimal) -> str:
    return format_percent(value, format="#,##0.#\u00a0%", locale=_BABEL[language])
