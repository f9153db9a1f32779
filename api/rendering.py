"""Jinja environments for pages and mails: one per language, undefined names are errors."""

from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    pass_context,
    select_autoescape,
)
from jinja2.runtime import Context

from api import i18n, wording

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment(language: str) -> Environment:
    """Templates with texts, dates and numbers of a language."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html",), default_for_string=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    catalogue = i18n.translations(language)
    env.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    env.filters |= {
        "date": partial(i18n.show_date, language),
        "moment": partial(i18n.show_moment, language),
        "number": partial(i18n.show_number, language),
        "percent": partial(i18n.show_percent, language),
        "reason": pass_context(partial(_reason, language)),
        "named": partial(_named, language),
        "same_names": lambda codes: [(code, code) for code in codes],
    }
    env.globals |= {
        "language": language,
        "colon": "\u00a0:" if language == "fr" else ":",
        "languages": i18n.LANGUAGES,
        "word": partial(wording.word, language),
    }
    return env


def _reason(language: str, context: Context, given: dict[str, Any]) -> str:
    """A reason in words, with the certificates of the page's frame."""
    return wording.reason(language, given, context["known_certificates"])


def _named(language: str, table: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    """Codes with their names in a language, for a list of choices."""
    return [(code, names[language]) for code, names in sorted(table.items())]


def render(name: str, language: str, /, **context: Any) -> str:
    """A template filled in; a name the template uses and the context lacks is an error."""
    return environment(language).get_template(name).render(**context)
