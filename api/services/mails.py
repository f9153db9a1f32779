"""Mails in words: a template filled in for one reader, with what the hub itself says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from api.rendering import environment
from api.services import hub_texts
from api.services.desk import Desk
from api.services.hub_texts import Place
from models import Hub
from models.message import MessageKind

# The mails in which the hub speaks in words of its own.
TO_COMPANIES = frozenset({MessageKind.LEAD, MessageKind.LEAD_COPY, MessageKind.NEW_LINK})
TO_FIRMS = frozenset(
    {
        MessageKind.CONFIRM_NEED,
        MessageKind.NOTICE,
        MessageKind.QUESTION,
        MessageKind.ANSWERED,
        MessageKind.DEADLINE,
    }
)


@dataclass(frozen=True)
class Recipient:
    """Who gets a mail, and in which language."""

    email: str
    name: str = ""
    language: str = "nl"


def composed(
    desk: Desk, kind: MessageKind, to: Recipient, of_hub: Hub | None, **context: Any
) -> tuple[str, str, str]:
    """Subject, plain text and HTML of a mail, with the words of the hub it is about."""
    env = environment(to.language)
    values = {
        "base_url": desk.runtime.settings.base_url,
        "to": to,
        "day": date.fromisoformat,
        "certificate_names": partial(_certificate_names, desk, to.language),
        "unsubscribe": "",
        **_hub_words(kind, to.language, of_hub, context.get("content")),
        **context,
    }
    plain = env.get_template(f"mails/{kind.value}.txt")
    subject = "".join(plain.blocks["subject"](plain.new_context(values)))
    text = "".join(plain.blocks["text"](plain.new_context(values))).strip() + "\n"
    html = env.get_template(f"mails/{kind.value}.html").render(values)
    return " ".join(subject.split())[:300], text, html


def _hub_words(
    kind: MessageKind, language: str, hub: Hub | None, content: dict[str, Any] | None
) -> dict[str, str]:
    """What the hub says above and below: to companies what was broadcast, to firms what it says
    now."""
    if kind in TO_COMPANIES and content is not None:
        names = ("intro", "signature")
        return {f"hub_{each}": hub_texts.in_content(content, each, language) for each in names}
    if kind in TO_FIRMS and hub is not None:
        return {
            "hub_intro": hub_texts.said(hub, Place.FIRM_INTRO, language),
            "hub_signature": hub_texts.said(hub, Place.FIRM_SIGNATURE, language),
        }
    return {"hub_intro": "", "hub_signature": ""}


def _certificate_names(desk: Desk, language: str, codes: Sequence[str]) -> str:
    known = desk.runtime.certificates
    return ", ".join(known[code][language] if code in known else code for code in codes)
