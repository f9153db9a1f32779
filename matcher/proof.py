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
from datetime import datetime
from typing import Any

from matcher.neutrality import GENESIS, canonical_json, chained_hash, content_hash, neutral_order

FORMAT = "maatmatch-proof/1"
LONGEST_SPREAD = 300.0  # seconds between first and last hand-over that met no resistance
LONGEST_WAIT = 900.0  # seconds that a lead mail may stand in the outbox untried once it is due
LEAST_REASON = 10  # characters of a written reason
FAILED = ("refused", "no_address", "bounced")  # a lead that did not arrive, and shown to be so
Document = Mapping[str, Any]
Entry = Mapping[str, Any]


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
    broadcast, released = document["broadcast"], _released(document)
    names = (
        "id", "need_id", "hub_id", "number", "content_hash", "released_at", "deadline", "policy",
        "alpha", "threshold", "encoder", "calibration",
    )  # fmt: skip
    differing = [name for name in names if not _same(broadcast[name], released[name])]
    if differing:
        return False, f"changed after release: {', '.join(differing)}"
    return True, f"policy {broadcast['policy']}, threshold {broadcast['threshold']}"


def _content(document: Document) -> tuple[bool, str]:
    broadcast = document["broadcast"]
    if content_hash(broadcast["content"]) != broadcast["content_hash"]:
        return False, "the content is not what was released"
    written = [entry["details"] for entry in _of(document, "corrected")]
    shown = [
        {"number": each["number"], "content_hash": content_hash(each["content"])}
        for each in document["corrections"]
    ]
    claimed = [each["content_hash"] for each in document["corrections"]]
    if not _same(written, shown) or claimed != [each["content_hash"] for each in shown]:
        return False, "the corrections are not those that were sent"
    return True, f"one content for all, {len(shown)} corrections, each to all"


def _verdicts(document: Document) -> tuple[bool, str]:
    at_release = {each["company_id"]: each for each in _released(document)["verdicts"]}
    later = {
        entry["details"]["company_id"]: entry["details"]
        for entry in _of(document, "became_eligible")
        if entry.get("details") is not None
    }
    hidden_later = any(entry.get("details") is None for entry in _of(document, "became_eligible"))
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
    made = [(each["company_id"], each["kind"]) for each in _released(document)["exceptions"]]
    entries = _of(document, "exception")
    shown = [entry["details"] for entry in entries if entry.get("details") is not None]
    if len(entries) != len(made) or not {(e["company_id"], e["kind"]) for e in shown} <= set(made):
        return False, "the exceptions are not those that were made before release"
    if any(len(each["reason"].strip()) < LEAST_REASON for each in shown):
        return False, "an exception has no written reason"
    return True, f"{len(made)} exceptions, each with a written reason"


def _recipients(document: Document) -> tuple[bool, str]:
    released = _released(document)
    kinds = {each["company_id"]: each["kind"] for each in released["exceptions"]}
    wanted = {each["company_id"] for each in released["verdicts"] if each["eligible"]}
    wanted -= {company for company, kind in kinds.items() if kind == "left_out"}
    wanted |= {company for company, kind in kinds.items() if kind == "added"}
    sent = {company for company, lead in _leads(document).items() if not lead["late"]}
    if wanted != set(released["recipients"]):
        return False, "the recipients are not the eligible set with its exceptions"
    if wanted != sent:
        return False, f"without a lead: {len(wanted - sent)}; not entitled: {len(sent - wanted)}"
    return True, f"{len(wanted)} recipients: all eligible, with the exceptions written"


def _one_each(document: Document) -> tuple[bool, str]:
    entries = _lead_entries(document)
    companies = [entry["details"]["company_id"] for entry in entries]
    ids = [entry["lead_id"] for entry in entries]
    if len(set(companies)) != len(companies) or len(set(ids)) != len(ids):
        return False, "a company has more than one lead"
    made = {
        entry["lead_id"]: (entry["details"]["company_id"], entry["details"]["late"])
        for entry in entries
    }
    for lead in document["leads"]:
        if not _same(made.get(lead["id"]), (lead["company_id"], lead["late"])):
            return False, f"lead {lead['id']} is not in the ledger"
    if document["complete"] and len(document["leads"]) != len(made):
        return False, "a lead of the ledger is missing"
    return True, f"{len(ids)} leads, one for each company"


def _late(document: Document) -> tuple[bool, str]:
    late = [lead for lead in _leads(document).values() if lead["late"]]
    judged = len(_of(document, "became_eligible"))
    return len(late) == judged, f"{len(late)} late leads, {judged} companies became eligible"


def _moment(document: Document) -> tuple[bool, str]:
    released_at = _time(document["broadcast"]["released_at"])
    early = [at for at in _hand_overs(document).values() if at < released_at]
    if early:
        return False, f"{len(early)} leads were handed over before the release"
    return True, f"released at {released_at.isoformat()}; none was handed over before"


def _order(document: Document) -> tuple[bool, str]:
    sent = [
        entry["details"]["company_id"]
        for entry in _lead_entries(document)
        if not entry["details"]["late"]
    ]
    if sent != neutral_order(document["broadcast"]["need_id"], sent):
        return False, "the order of hand-over is not the published permutation of this need"
    return True, "the order of hand-over follows the published rule"


def _delivered(document: Document) -> tuple[bool, str]:
    arrived = _hand_overs(document)
    failed = {entry["lead_id"] for name in FAILED for entry in _lead_mails(document, name)}
    tried = {entry["lead_id"] for entry in _lead_mails(document, "hand_over_failed")}
    leads = {lead["id"] for lead in _leads(document).values()}
    waiting = leads - set(arrived) - failed
    shown = (
        f"{len(leads & set(arrived))} handed over, {len(failed & leads)} failed and shown, "
        f"{len(waiting)} still waiting"
    )
    due = [_due(document, e) for e in _lead_entries(document) if e["lead_id"] in waiting - tried]
    if not due:
        return True, shown
    waited = (_time(document["made_at"]) - min(due)).total_seconds()
    return waited <= LONGEST_WAIT, shown


def _due(document: Document, entry: Entry) -> datetime:
    """When the mail of a lead was to go: at the release, later for late joiners and digests."""
    daily = entry["details"].get("daily")
    return (
        _time(daily)
        if daily
        else max(_time(document["broadcast"]["released_at"]), _time(entry["at"]))
    )


def _spread(document: Document) -> tuple[bool, str]:
    # Who asked for a daily mail has the lead in its inbox at the release, the mail at seven.
    daily = {e["lead_id"] for e in _lead_entries(document) if "daily" in e["details"]}
    resisted = {entry["lead_id"] for entry in _lead_mails(document, "hand_over_failed")}
    together = {lead["id"] for lead in _leads(document).values() if not lead["late"]}
    moments = [
        at
        for lead_id, at in _hand_overs(document).items()
        if lead_id in together - resisted - daily
    ]
    if not moments:
        return True, "no lead has been handed over yet"
    seconds = (max(moments) - min(moments)).total_seconds()
    note = f", {len(resisted & together)} after a retry" if resisted & together else ""
    return seconds <= LONGEST_SPREAD, f"{seconds:.1f} s between first and last hand-over{note}"


def _released(document: Document) -> Mapping[str, Any]:
    released = _of(document, "released")
    if len(released) != 1 or released[0]["sequence"] != 1:
        raise ValueError("there must be one release, as the first entry")
    details: Mapping[str, Any] = released[0]["details"]
    return details


def _of(document: Document, event: str) -> list[Entry]:
    return [entry for entry in document["ledger"] if entry.get("event") == event]


def _lead_entries(document: Document) -> list[Entry]:
    return [e for e in document["ledger"] if e.get("event") in ("queued", "no_address")]


def _leads(document: Document) -> dict[str, dict[str, Any]]:
    """Company id -> its lead and whether it came late, as the ledger has them."""
    return {
        entry["details"]["company_id"]: {
            "id": entry["lead_id"],
            "late": entry["details"]["late"],
        }
        for entry in _lead_entries(document)
    }


def _lead_mails(document: Document, event: str) -> list[Entry]:
    """What happened to lead mails, not to reminders and the like; unknown counts as a lead."""
    return [
        entry
        for entry in _of(document, event)
        if (entry.get("details") or {}).get("kind", "lead") == "lead"
    ]


def _hand_overs(document: Document) -> dict[str, datetime]:
    """Lead id -> when its lead mail was first handed over; other mails come later."""
    first: dict[str, datetime] = {}
    for entry in _lead_mails(document, "handed_over"):
        first.setdefault(entry["lead_id"], _time(entry["at"]))
    return first


def _same(one: Any, other: Any) -> bool:
    """Equal as written: in Python 1 is also True, in a proof it is not."""
    return canonical_json(one) == canonical_json(other)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


_CHECKS: dict[str, Callable[[Document], tuple[bool, str]]] = {
    "chain": _chain,
    "terms": _terms,
    "content": _content,
    "verdicts": _verdicts,
    "exceptions": _exceptions,
    "recipients": _recipients,
    "one_lead_each": _one_each,
    "late_joiners": _late,
    "single_release": _moment,
    "neutral_order": _order,
    "delivered": _delivered,
    "spread": _spread,
}
