"""Dutch without misspellings: every text of pages and mails against Debian's Dutch dictionary."""

import csv
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from api.settings import DATA
from tests.api.test_pages_words import extracted

DICTIONARY = "nl_BE"
# What is right and stands in no dictionary: words of our trade, names, formats.
OURS = {
    "aanmeldlink", "aanmeldlinks", "cookiemelding", "deelstap", "external", "feedlezer",
    "lead", "webhook", "webhooks",
    "Eén", "VTE", "xx",
    "CSV-bestand", "Excel-bestand", "XLSX-bestand", "XLSX", "JPEG", "PNG", "WebP",
    "PDF", "UTF", "SHA",
    "Content-Security-Policy", "frame-src", "Maatmatch-Signature",
    "BRCGS", "Febelauto", "Fytolicentie", "GMP", "HACCP", "ISPM", "RABC", "VCA", "WEEELABEX",
    "farma", "hercoderen", "orderpicking",
}  # fmt: skip
NOT_WORDS = re.compile(r"%\(\w+\)[sd]|%%|<[^>]+>|https?://\S+|&\w+;|\S+@\S+")
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


@pytest.fixture(scope="module")
def hunspell() -> str:
    program = shutil.which("hunspell")
    known = Path(f"/usr/share/hunspell/{DICTIONARY}.dic").exists()
    if program is None or not known:
        why = "no Dutch dictionary; install Debian's hunspell and hunspell-nl, as .ci/run does"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return program


def unknown(hunspell: str, texts: Iterable[str]) -> dict[str, str]:
    """Words that the dictionary does not know, each with a text it stands in."""
    stands_in: dict[str, str] = {}
    for text in texts:
        for word in WORD.findall(NOT_WORDS.sub(" ", text)):
            stands_in.setdefault(word, text)
    found = subprocess.run(
        [hunspell, "-l", "-i", "utf-8", "-d", DICTIONARY],
        input="\n".join(stands_in),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    wrong = {word for word in found if word not in OURS and _lower(word) not in OURS}
    # A part of a word that is written with a hyphen or an apostrophe comes back alone.
    return {
        word: text
        for word, text in stands_in.items()
        if word in wrong or wrong & set(re.split(r"['’-]", word))
    }


def _lower(word: str) -> str:
    return word[:1].lower() + word[1:]


def test_the_dictionary_bites(hunspell: str) -> None:
    texts = ["Het maatwerkbedrijf krijgt de vrraag", "Wat gebeurd er? Onmiddelijk"]
    assert set(unknown(hunspell, texts)) == {"vrraag", "Onmiddelijk"}


def test_texts_of_pages_and_mails(hunspell: str) -> None:
    assert unknown(hunspell, (text for texts in extracted() for text in texts)) == {}


def test_names_of_work_and_certificates(hunspell: str) -> None:
    texts = []
    for name in ("activities", "value_chains", "certificates"):
        with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            texts += [row["nl"] for row in csv.DictReader(file)]
    assert len(texts) > 70
    assert unknown(hunspell, texts) == {}
