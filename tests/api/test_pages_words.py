"""Words of pages and mails: every Dutch text has its French and English, every code its words."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from api import wording
from api.i18n import LOCALE
from api.pages import words
from api.rendering import environment
from api.runtime import Runtime
from models.answer import AnswerKind, DeclineReason
from models.broadcast import ExceptionKind
from models.company import Delivery, Recognition
from models.lead import Outcome
from models.message import MessageState
from models.need import WorkPlace
from models.person import Role
from models.referral import ReferralKind
from models.states import CollaborationState, NeedState

API = Path(words.__file__).parents[1]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "tr": (2,)}
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
# Raised only to machines: the JSON API and imports, which answer in English.
MACHINES = {
    "bad_json", "bad_token", "token_missing", "missing_scope", "unknown_company",
    "unknown_field", "unknown_firm", "http", "bad_cursor", "bad_limit",
    "key_reused", "same_key_at_once",
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nl", "mist certificaat: HACCP (voedselveiligheid), sinds lang vergeten"),
        ("fr", "certificat manquant : HACCP (sécurité alimentaire), sinds lang vergeten"),
        ("en", "lacks certificate: HACCP (food safety), sinds lang vergeten"),
    ],
)
def test_a_missing_certificate_is_told_by_its_name(
    sqlite_runtime: Runtime, language: str, said: str
) -> None:
    missing = ["haccp", "sinds lang vergeten"]  # the last is no longer in the table
    given = {
        "rule": "certificates",
        "ok": False,
        "values": {"required": missing, "missing": missing},
    }
    names = sqlite_runtime.certificates
    assert wording.reason(language, given, names) == said
    page = environment(language).from_string("{{ given|reason }}")
    assert page.render(given=given, known_certificates=names) == said


@cache
def extracted() -> frozenset[tuple[str, ...]]:
    """Every text marked for translation in code and templates; plurals as pairs."""
    options = {"extensions": "jinja2.ext.do", "silent": "false"}
    found = extract_from_dir(
        API,
        [
            ("templates/**.html", "jinja2.ext:babel_extract"),
            ("templates/**.txt", "jinja2.ext:babel_extract"),
            ("**.py", "python"),
        ],
        {"templates/**.html": options, "templates/**.txt": options},
        keywords=KEYWORDS,
    )
    texts = [row[2] for row in found]
    return frozenset(
        (text,) if isinstance(text, str) else tuple(text[:2]) for text in texts if text
    )


def catalogue(language: str) -> Catalog:
    with (LOCALE / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def test_texts_are_found() -> None:
    assert ("Wat wil je laten doen?",) in extracted()
    assert len(extracted()) > 500


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_text_is_translated(language: str) -> None:
    known = {}
    for message in catalogue(language):
        ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
        strings = (message.string,) if isinstance(message.string, str) else tuple(message.string)
        known[ids[0]] = strings
    missing = [ids for ids in extracted() if not all(known.get(ids[0], ("",)))]
    assert missing == []
    for ids in extracted():
        wanted = set(PLACEHOLDER.findall(ids[-1]))
        for string in known[ids[0]]:
            assert set(PLACEHOLDER.findall(string)) <= wanted | {"num"}, (ids, string)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_text_stands_twice(language: str) -> None:
    lines = (LOCALE / f"{language}.po").read_text(encoding="utf-8").splitlines()
    ids = [line for line in lines if line.startswith("msgid ") and line != 'msgid ""']
    assert len(ids) == len(set(ids))


def test_every_code_has_words() -> None:
    kinds = (
        NeedState, AnswerKind, DeclineReason, CollaborationState, Outcome, ExceptionKind,
        WorkPlace, Recognition, Delivery, MessageState, ReferralKind, Role,
    )  # fmt: skip
    for language in ("nl", "fr", "en"):
        for kind in kinds:
            for code in kind:
                assert wording.word(language, code.value)


def test_every_problem_has_words() -> None:
    pattern = re.compile(
        r"\b(?:Invalid|Conflict|NotFound|NotAllowed|Gone|TooLarge|TooMany|NotSignedIn)\(\s*"
        r'"([a-z_]+)"'
    )
    raised = {
        code
        for path in API.rglob("*.py")
        if "routes" not in path.parts and "cli" not in path.parts
        for code in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert len(raised) > 40
    assert raised - set(words.PROBLEMS) - MACHINES == set()
