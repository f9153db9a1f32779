"""A hub's own words in mails and on its form, per language.

To companies they are part of what is broadcast: frozen with it, hashed with it, the same for
all. Where a language is empty, the hub's own language is read, so that nobody gets less.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from api.i18n import LANGUAGES
from api.services import audit, authorisation, checks
from api.services.desk import Desk
from models import Hub

Texts = dict[str, dict[str, str]]  # place -> language -> text


class Place(StrEnum):
    """Where a text of the hub stands."""

    COMPANY_INTRO = "company_intro"  # above a need in the mail to companies
    COMPANY_SIGNATURE = "company_signature"
    FIRM_INTRO = "firm_intro"  # above the news in mails to the firm
    FIRM_SIGNATURE = "firm_signature"
    INTAKE = "intake"  # above the hub's form on other sites


MOST = 600  # characters: some lines, no letter


def change(desk: Desk, hub_id: str, texts: Mapping[str, Mapping[str, str]]) -> Hub:
    """Change the hub's texts for mails to come; what was released keeps its own.

    `texts` is place -> language -> text; an empty text takes it away, a place not named stays.
    Raises NotFound for others than the hub's coordinators, Invalid or TooLarge for a wrong text
    (its field is `<place>-<language>`).
    """
    hub = authorisation.hub_to_edit(desk, hub_id)
    now = checked(texts)
    kept = {place: each for place, each in hub.texts.items() if place not in now}
    wanted = kept | {place: each for place, each in now.items() if each}
    if wanted != hub.texts:
        changed = sorted(p for p in Place if wanted.get(p) != hub.texts.get(p))
        hub.texts = wanted
        audit.record(desk, "change_texts", "hub", hub.id, hub.id, changed=changed)
    return hub


def checked(texts: Mapping[str, Mapping[str, str]]) -> Texts:
    """The texts cleaned, empty ones left out. Raises Invalid or TooLarge."""
    found: Texts = {}
    for place in Place:
        if place in texts:
            said = {
                language: checks.text(text, f"{place}-{language}", least=0, most=MOST)
                for language, text in texts[place].items()
                if language in LANGUAGES
            }
            found[place.value] = {language: text for language, text in said.items() if text}
    return found


def for_content(hub: Hub) -> dict[str, Any]:
    """What a broadcast freezes of the hub's words; empty when the hub says nothing."""
    said = {"intro": Place.COMPANY_INTRO, "signature": Place.COMPANY_SIGNATURE}
    texts = {name: _filled(hub.texts, place, hub.language) for name, place in said.items()}
    texts = {name: each for name, each in texts.items() if each}
    return {"hub_texts": texts} if texts else {}


def in_content(content: Mapping[str, Any], name: str, language: str) -> str:
    """The hub's words that were broadcast: `name` is "intro" or "signature"."""
    return str(content.get("hub_texts", {}).get(name, {}).get(language, ""))


def said(hub: Hub, place: Place, language: str) -> str:
    """The hub's words at a place, in a language or else in its own; empty when there are none."""
    return _filled(hub.texts, place, hub.language).get(language, "")


def _filled(texts: Mapping[str, Mapping[str, str]], place: str, own: str) -> dict[str, str]:
    """All languages of one text; those left empty read as the hub's own, or the first there is."""
    given = texts.get(place, {})
    fallback = given.get(own) or next((given[each] for each in LANGUAGES if each in given), "")
    return {each: given.get(each) or fallback for each in LANGUAGES} if fallback else {}
