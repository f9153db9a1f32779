"""What stands in a proof, read from its JSON: entries of one event, leads, hand-overs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from matcher.neutrality import canonical_json

Document = Mapping[str, Any]
Entry = Mapping[str, Any]


def release_facts(document: Document) -> Mapping[str, Any]:
    """What the first entry froze. Raises ValueError when it is not the only release."""
    released = entries_of(document, "released")
    if len(released) != 1 or released[0]["sequence"] != 1:
        raise ValueError("there must be one release, as the first entry")
    details: Mapping[str, Any] = released[0]["details"]
    return details


def entries_of(document: Document, event: str) -> list[Entry]:
    """The entries of one event that are shown, in order."""
    return [entry for entry in document["ledger"] if entry.get("event") == event]


def lead_entries(document: Document) -> list[Entry]:
    """The entries that made a lead: one for each."""
    return [e for e in document["ledger"] if e.get("event") in ("queued", "no_address")]


def leads_by_company(document: Document) -> dict[str, dict[str, Any]]:
    """Company id -> its lead and whether it came late, as the ledger has them."""
    return {
        entry["details"]["company_id"]: {
            "id": entry["lead_id"],
            "late": entry["details"]["late"],
        }
        for entry in lead_entries(document)
    }


def lead_mails(document: Document, event: str) -> list[Entry]:
    """What happened to lead mails, not to reminders and the like; unknown counts as a lead."""
    return [
        entry
        for entry in entries_of(document, event)
        if (entry.get("details") or {}).get("kind", "lead") == "lead"
    ]


def hand_overs(document: Document) -> dict[str, datetime]:
    """Lead id -> when its lead mail was first handed over; other mails come later."""
    first: dict[str, datetime] = {}
    for entry in lead_mails(document, "handed_over"):
        first.setdefault(entry["lead_id"], time_of(entry["at"]))
    return first


def same(one: Any, other: Any) -> bool:
    """Equal as written: in Python 1 is also True, in a proof it is not."""
    return canonical_json(one) == canonical_json(other)


def time_of(text: str) -> datetime:
    """A moment as it is written in a proof. Raises ValueError when it is none."""
    return datetime.fromisoformat(text)
