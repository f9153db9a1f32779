"""Reading what people type: cleaning, language, and the pieces of work inside a long text."""

import html
import re
import unicodedata
from functools import lru_cache
from typing import Literal

Language = Literal["nl", "fr", "en"]
LANGUAGES: tuple[Language, ...] = ("nl", "fr", "en")

LONGEST = 20_000  # characters read; what comes after adds no work, only time

_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|</?[a-zA-Z][^<>]{0,500}>", re.S | re.I)
_BLOCK = re.compile(r"<(br|/p|/li|/div|/h\d|/tr)\b[^<>]{0,100}>", re.I)
# An address begins where no part of one stands before it; a word boundary would also begin it
# after every hyphen and point, and take time with the square of a long run of them.
_URL = re.compile(r"(?:https?://|www\.)\S+|(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+", re.I)
_PHONE = re.compile(r"(?<![\w.])(?:\+|00|0)\d[\d\s./()-]{6,16}\d(?!\w)")
_LEGAL_NUMBER = re.compile(r"\b(?:BE\s?)?[01]\d{3}[. ]?\d{3}[. ]?\d{3}\b")
_SPACE = re.compile(r"[^\S\n]+")
WORD = re.compile(r"[^\W_]+")


def clean(text: str) -> str:
    """Text without markup, addresses, telephone numbers, control characters or other scripts.

    Only Latin letters, digits and punctuation stay, because the encoder knows no other script and
    a nonsense text must give an empty one. Line ends are kept, they separate pieces of work.
    """
    text = html.unescape(_TAG.sub(" ", _BLOCK.sub("\n", text[: 5 * LONGEST])))
    text = unicodedata.normalize("NFC", text)
    text = _LEGAL_NUMBER.sub(" ", _PHONE.sub(" ", _URL.sub(" ", text)))
    text = "".join(_keep(character) for character in text)
    lines = (_SPACE.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)[:LONGEST]


@lru_cache(maxsize=4096)
def _keep(character: str) -> str:
    if character == "\n":
        return character
    kind = unicodedata.category(character)
    if kind[0] == "L":
        return character if unicodedata.name(character, "").startswith("LATIN") else " "
    if character.isascii() and character.isprintable():
        return character
    return character if character in "’‘“”«»–—•·€°²³…" or kind == "Mn" else " "


def normalise(text: str) -> str:
    """Lower case without accents: two spellings of one word become equal."""
    if text.isascii():
        return text.lower()
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in split if not unicodedata.combining(c))


def words(text: str) -> list[str]:
    """Normalised words and numbers of a text, in order."""
    return WORD.findall(normalise(text))


FUNCTION_WORDS: dict[Language, frozenset[str]] = {
    "nl": frozenset(
        """
        de het een en van in op te dat die is zijn wij we ons onze voor met niet aan er
        om ook als naar bij uit maar dan nog wel kan kunnen worden wordt moet moeten zou
        hebben heeft wie wat waar hoe iemand graag jullie u uw door over tot deze dit
        zich ze zij hun per zoeken zoekt onder tussen tegen zonder alle elke veel meer
        geen al of ik mijn je nu hier daar vanaf via jaar week dag maand stuks laten
        willen allerlei eigen oude
        """.split()  # noqa: SIM905
    ),
    "fr": frozenset(
        """
        le la les un une des du de et en au aux a pour avec dans sur par est sont nous
        notre nos vous votre vos il elle qui que quoi ou ne pas plus se ce cette ces
        leur leurs d l qu n s c j je mon ma mes son sa ses y cherchons recherche cherche
        chez sans sous tous tout toute toutes etre avoir fait faire peut pourrait ainsi
        entre chaque aussi mais nos apres
        """.split()  # noqa: SIM905
    ),
    "en": frozenset(
        """
        the a an and of to in on for with is are was be we our us you your it its that
        this these those who which what where how by from at as or not no can could
        would need needs looking someone somebody they them their there has have had
        will do does been into per each all any some old new per about after before than
        then out up off i my
        """.split()  # noqa: SIM905
    ),
}

# Letters and endings that tell the three languages apart where no function word stands.
_SHAPES: dict[Language, re.Pattern[str]] = {
    "nl": re.compile(
        r"ij|aa|uu|ee[lnrtk]|oo[rnkdft]|sch|(?:en|ing|ingen|erij|heid|baar|tje|jes)\b|\bge|ui|oe|ks\b"
    ),
    "fr": re.compile(
        r"[éèêàçùôî]|eau|aux|ique|ement|(?:age|ages|tion|eur|euse|oir|oire|ette|elle|ée|és|er|ier|ure)\b"
        r"|ou[a-z]|\b[dl]['’]"
    ),
    "en": re.compile(
        r"(?:ing|ings|ed|ly|ness|ware|ment|able|ght|ck|cks|ch|sh|ry|ty|ers)\b|th|wh|ea|oa|sh|\bw|ow|y\b"
    ),
}


def detect_language(text: str) -> Language:
    """Dutch, French or English; Dutch when nothing tells."""
    seen = words(text[:2_000])
    low = text[:2_000].casefold()
    score = {
        language: 3.0 * sum(word in FUNCTION_WORDS[language] for word in seen)
        + len(_SHAPES[language].findall(low))
        for language in LANGUAGES
    }
    return max(LANGUAGES, key=lambda language: score[language])
