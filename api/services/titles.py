"""Titles: a short line for a need, from its own first words that say something."""

import re

from matcher.text import clean

MOST = 80  # characters: one line in a list, and whole in the subject of a mail
_SENTENCE = re.compile(r"(?<=[^\W\d]{2}[.!?…])\s+|[!?…]+\s+|\s*[\n•]+\s*")
_GREETING = re.compile(
    r"(?:beste|geachte|dag|hallo|hoi|hey|goeiedag|goeiendag|goedendag|goedemorgen|goeiemorgen|"
    r"goedemiddag|goeienavond|goedenavond|bonjour|madame|monsieur|cher|chère|dear|hello|hi|"
    r"good (?:morning|afternoon|day))\b[^,.!?:;\n]{0,40}(?:[,.!?:;]+\s*|$)",
    re.I,
)
_INTRODUCTION = re.compile(
    r"(?:wij|we|nous|ons bedrijf|onze (?:school|zaak|winkel|firma|onderneming|organisatie))\b"
    r"\s+(?:zijn|is|heten|heet|sommes|are)\b"
    r"|ik (?:ben|heet)\b|mijn naam\b|je suis\b|je m'appelle\b|mon nom\b|i am\b|i'm\b|my name\b|"
    r"we're\b|nous sommes\b|we are\b",
    re.I,
)
_TURN = re.compile(
    r"(?:,|\s)\s*(?:en|et|and|maar|die|qui|dus|donc|so)\s+"
    r"(?=(?:(?:wij|we|ik|nous|je|i)\s+)?(?:zoek|wil|heb|moet|laat|cherch|recherch|voul|"
    r"avons|ai|look|need|want|have|would)\w*)",
    re.I,
)
_ASKING = re.compile(
    r"(?:(?:wij|we|ik|men)\s+(?:zijn\s+op\s+zoek\s+naar|ben\s+op\s+zoek\s+naar|zoek(?:en|t)?)|"
    r"gezocht\s*:|op\s+zoek\s+naar|zoek(?:en|t)?|gevraagd\s*:|nous\s+(?:re)?cherchons|"
    r"je\s+(?:re)?cherche|cherchons|(?:we|i)(?:\s+are|\s+am|'re|'m)?\s+looking\s+for|"
    r"looking\s+for)\s+",
    re.I,
)


def title_of(text: str) -> str:
    """The first sentence that is no greeting or introduction, cut at a word, at most 80 long."""
    spare = ""
    for sentence in _SENTENCE.split(clean(text)):
        said = _GREETING.sub("", sentence.strip(), count=1) if _greets(sentence) else sentence
        said = said.strip(" .,;:!?-–—•*\"'“”")
        if len(said) < 4:
            continue
        spare = spare or said
        if _INTRODUCTION.match(said):
            turned = _TURN.split(said, maxsplit=1)
            if len(turned) == 1:
                continue
            said = turned[1]
        return _short(_ASKING.sub("", said, count=1) if _ASKING.match(said) else said)
    return _short(spare or " ".join(text.split()))


def _greets(sentence: str) -> bool:
    return _GREETING.match(sentence.strip()) is not None


def _short(words: str) -> str:
    words = " ".join(words.split()).strip(" .,;:!?-–—•*\"'“”")
    if len(words) > MOST:
        cut = words[: MOST - 1]
        whole = cut.rsplit(" ", 1)[0] if " " in cut[MOST // 2 :] else cut
        words = whole.rstrip(" ,;:-–—(") + "…"
    return words[:1].upper() + words[1:]
