"""The proof of a broadcast, checked from its JSON alone: no database, no trust in who made it.

Every entry of the ledger is chained to the one before by SHA-256. A hash covers the entry with
its details replaced by their own hash, so that a copy of the proof can leave out details that are
not the reader's business (`details_hash` stands in for them) and still be recomputed in full.
An entry may also be withheld whole; then only its two hashes are there, which keep the chain.

A chain cannot show by itself that its end was cut off. Whoever kept an earlier proof can: its
`head` must still be in every later one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matcher import proof_delivery
from matcher.neutrality import GENESIS, chained_hash, content_hash
from matcher.proof_delivery import arrived_before
from matcher.proof_entries import (
    Document,
    Entry,
    entries_of,
    lead_entries,
    leads_by_company,
    release_facts,
    same,
)

FORMAT = "maatmatch-proof/1"
LEAST_REASON = 10  # characters of a written reason


@dataclass(frozen=True)
class Check:
    """One thing that must hold, whether it does, and what was found."""

    name: str
    ok: bool
    detail: str


def entry_hash(
    previous: str, sequence: int, at: str, event: str, lead_id: str | None, details_hash: str
) -> str:
    """The hash of one ledger entry; `at` is ISO 8601 in UTC."""
    return chained_hash(
        previous,
        {
            "sequence": sequence,
            "at": at,
            "event": event,
            "lead_id": lead_id,
            "details_hash": details_hash,
        },
    )


def verdict_hash(
    company_id: str, eligible: bool, reasons: list[dict[str, Any]], match: Mapping[str, Any]
) -> str:
    """The hash by which the ledger holds a verdict."""
    return content_hash(
        {"company_id": company_id, "eligible": eligible, "reasons": reasons, "match": match}
    )


def verify(document: Document, earlier: Document | None = None) -> list[Check]:
    """Recompute everything a proof claims and say what holds and what does not.

    With an `earlier` proof of the same broadcast (whoever downloaded it), also whether this one
    continues it. A document that is not a proof gives one failing check, never an exception.
    """
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        return [Check("readable", False, f"this is no proof in the format {FORMAT}")]
    checks = dict(_CHECKS)
    if earlier is not None:
        checks["continues"] = lambda later: _continues(earlier, later)
    found: list[Check] = []
    for name, check in checks.items():
        try:
            ok, detail = check(document)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            ok, detail = False, f"the proof is damaged here ({type(error).__name__}: {error})"
        found.append(Check(name, ok, detail))
    return found


def _chain(document: Document) -> tuple[bool, str]:
    previous, withheld = GENESIS, 0
    for position, entry in enumerate(document["ledger"], start=1):
        if entry["sequence"] != position:
            return False, f"entry {position} is missing or out of order"
        if entry["previous_hash"] != previous:
            return False, f"entry {position} does not follow the one before it"
        if "event" not in entry:
            withheld += 1
        elif entry["hash"] != _recomputed(entry):
            return False, f"entry {position} was changed after it was written"
        previous = entry["hash"]
    count = len(document["ledger"])
    if document["head"] != {"entries": count, "hash": previous}:
        return False, "the end of the ledger is missing"
    return count > 0, f"{count} entries linked, {count - withheld} recomputed, {withheld} withheld"


def _continues(earlier: Document, document: Document) -> tuple[bool, str]:
    if not isinstance(earlier, Mapping) or earlier.get("format") != FORMAT:
        return False, f"the earlier one is no proof in the format {FORMAT}"
    if earlier["broadcast"]["id"] != document["broadcast"]["id"]:
        return False, "the earlier proof is of another broadcast"
    whole, why = _chain(earlier)
    if not whole:
        return False, f"the earlier proof was changed itself: {why}"
    kept = [entry["hash"] for entry in earlier["ledger"]]
    now = [entry["hash"] for entry in document["ledger"]]
    if kept != now[: len(kept)]:
        return False, "the ledger does not continue the earlier proof: something was rewritten"
    return True, f"{len(kept)} entries as in the earlier proof, {len(now) - len(kept)} added since"


def _recomputed(entry: Entry) -> str:
    shown = entry.get("details")
    hashed = entry["details_hash"] if shown is None else content_hash(shown)
    return entry_hash(
        entry["previous_hash"],
        entry["sequence"],
        entry["at"],
        entry["event"],
        entry["lead_id"],
        hashed,
    )


def _terms(document: Document) -> tuple[bool, str]:
    broadcast, released = document["broadcast"], release_facts(document)
    names = (
        "id", "need_id", "hub_id", "number", "content_hash", "released_at", "deadline", "policy",
        "alpha", "threshold", "encoder", "calibration",
    )  # fmt: skip
    differing = [name for name in names if not same(broadcast[name], released[name])]
    if differing:
        return False, f"changed after release: {', '.join(differing)}"
    return True, f"policy {broadcast['policy']}, threshold {broadcast['threshold']}"


def _content(document: Document) -> tuple[bool, str]:
    broadcast = document["broadcast"]
    if content_hash(broadcast["content"]) != broadcast["content_hash"]:
        return False, "the content is not what was released"
    written = [entry["details"] for entry in entries_of(document, "corrected")]
    shown = [
        {"number": each["number"], "content_hash": content_hash(each["content"])}
        for each in document["corrections"]
    ]
    claimed = [each["content_hash"] for each in document["corrections"]]
    if not same(written, shown) or claimed != [each["content_hash"] for each in shown]:
        return False, "the corrections are not those that were sent"
    return True, f"one content for all, {len(shown)} corrections, each to all"


def _verdicts(document: Document) -> tuple[bool, str]:
    at_release = {each["company_id"]: each for each in release_facts(document)["verdicts"]}
    later = {
        entry["details"]["company_id"]: entry["details"]
        for entry in entries_of(document, "became_eligible")
        if entry.get("details") is not None
    }
    hidden_later = any(
        entry.get("details") is None for entry in entries_of(document, "became_eligible")
    )
    opened = 0
    for verdict in document["verdicts"]:
        company_id = verdict["company_id"]
        held = later.get(company_id) or at_release.get(company_id)
        if held is None and not hidden_later:
            return False, f"{company_id} was not judged at release"
        if held is not None and not hidden_later and held["eligible"] != verdict["eligible"]:
            return False, f"the verdict on {company_id} was changed"
        if "reasons" not in verdict or held is None:
            continue
        opened += 1
        hashed = verdict_hash(company_id, verdict["eligible"], verdict["reasons"], verdict["match"])
        if hashed != held["hash"]:
            return False, f"the verdict on {company_id} was changed"
    shown = [each["company_id"] for each in document["verdicts"]]
    if len(set(shown)) != len(shown):
        return False, "there are two verdicts on one company"
    absent = set(at_release) - set(shown)
    if absent and document["complete"]:
        return False, f"{len(absent)} verdicts are missing"
    return True, f"{len(at_release)} companies judged, {opened} verdicts recomputed"


def _exceptions(document: Document) -> tuple[bool, str]:
    made = [(each["company_id"], each["kind"]) for each in release_facts(document)["exceptions"]]
    entries = entries_of(document, "exception")
    shown = [entry["details"] for entry in entries if entry.get("details") is not None]
    if len(entries) != len(made) or not {(e["company_id"], e["kind"]) for e in shown} <= set(made):
        return False, "the exceptions are not those that were made before release"
    if any(len(each["reason"].strip()) < LEAST_REASON for each in shown):
        return False, "an exception has no written reason"
    return True, f"{len(made)} exceptions, each with a written reason"


def _recipients(document: Document) -> tuple[bool, str]:
    released = release_facts(document)
    kinds = {each["company_id"]: each["kind"] for each in released["exceptions"]}
    wanted = {each["company_id"] for each in released["verdicts"] if each["eligible"]}
    wanted -= {company for company, kind in kinds.items() if kind == "left_out"}
    wanted |= {company for company, kind in kinds.items() if kind == "added"}
    sent = {company for company, lead in leads_by_company(document).items() if not lead["late"]}
    if wanted != set(released["recipients"]):
        return False, "the recipients are not the eligible set with its exceptions"
    if wanted != sent:
        return False, f"without a lead: {len(wanted - sent)}; not entitled: {len(sent - wanted)}"
    return True, f"{len(wanted)} recipients: all eligible, with the exceptions written"


def _one_each(document: Document) -> tuple[bool, str]:
    entries = lead_entries(document)
    companies = [entry["details"]["company_id"] for entry in entries]
    ids = [entry["lead_id"] for entry in entries]
    if len(set(companies)) != len(companies) or len(set(ids)) != len(ids):
        return False, "a company has more than one lead"
    made = {
        entry["lead_id"]: (entry["details"]["company_id"], entry["details"]["late"])
        for entry in entries
    }
    for lead in document["leads"]:
        if not same(made.get(lead["id"]), (lead["company_id"], lead["late"])):
            return False, f"lead {lead['id']} is not in the ledger"
    if document["complete"] and len(document["leads"]) != len(made):
        return False, "a lead of the ledger is missing"
    for entry in entries_of(document, "readdressed"):
        if entry["lead_id"] not in made or arrived_before(document, entry):
            return False, f"lead {entry['lead_id']} was sent again though it had arrived"
    return True, f"{len(ids)} leads, one for each company"


def _late(document: Document) -> tuple[bool, str]:
    late = [lead for lead in leads_by_company(document).values() if lead["late"]]
    judged = len(entries_of(document, "became_eligible"))
    return len(late) == judged, f"{len(late)} late leads, {judged} companies became eligible"


_CHECKS: dict[str, Callable[[Document], tuple[bool, str]]] = {
    "chain": _chain,
    "terms": _terms,
    "content": _content,
    "verdicts": _verdicts,
    "exceptions": _exceptions,
    "recipients": _recipients,
    "one_lead_each": _one_each,
    "late_joiners": _late,
    "single_release": proof_delivery.single_release,
    "neutral_order": proof_delivery.order,
    "delivered": proof_delivery.delivered,
    "spread": proof_delivery.spread,
}
