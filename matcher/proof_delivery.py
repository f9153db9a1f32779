"""What a proof says of hand-overs: one moment, the published order, nothing forgotten, no gap."""

from datetime import UTC, datetime

from matcher.neutrality import neutral_order
from matcher.proof_entries import (
    Document,
    Entry,
    entries_of,
    hand_overs,
    lead_entries,
    lead_mails,
    leads_by_company,
    time_of,
)

LONGEST_SPREAD = 300.0  # seconds between first and last hand-over that met no resistance
LONGEST_WAIT = 900.0  # seconds that a lead mail may stand in the outbox untried once it is due
FAILED = ("refused", "no_address", "bounced")  # a lead that did not arrive, and shown to be so
_NEVER = datetime.max.replace(tzinfo=UTC)


def single_release(document: Document) -> tuple[bool, str]:
    """No lead was handed over before the one release moment."""
    released_at = time_of(document["broadcast"]["released_at"])
    early = [at for at in hand_overs(document).values() if at < released_at]
    if early:
        return False, f"{len(early)} leads were handed over before the release"
    return True, f"released at {released_at.isoformat()}; none was handed over before"


def order(document: Document) -> tuple[bool, str]:
    """Leads were prepared in the published permutation of this need."""
    sent = [
        entry["details"]["company_id"]
        for entry in lead_entries(document)
        if not entry["details"]["late"]
    ]
    if sent != neutral_order(document["broadcast"]["need_id"], sent):
        return False, "the order of hand-over is not the published permutation of this need"
    return True, "the order of hand-over follows the published rule"


def delivered(document: Document) -> tuple[bool, str]:
    """Every lead mail arrived, failed and is shown to have failed, or does not wait too long."""
    fates, asked, tried = _fates(document)
    leads = [lead["id"] for lead in leads_by_company(document).values()]
    count = {fate: sum(fates.get(lead) == fate for lead in leads) for fate in _FATES}
    shown = ", ".join(f"{count[fate]} {fate}" for fate in _FATES)
    due = [
        _due(document, entry)
        for lead, entry in asked.items()
        if fates[lead] == _WAITING and lead not in tried
    ]
    if not due:
        return True, shown
    waited = (time_of(document["made_at"]) - min(due)).total_seconds()
    return waited <= LONGEST_WAIT, shown


_FATES = _ARRIVED, _FAILED, _WAITING = "handed over", "failed and shown", "still waiting"


def _fates(document: Document) -> tuple[dict[str, str], dict[str, Entry], set[str]]:
    """Lead id -> what became of its mail at last; the entry that asked for it; those tried."""
    fates: dict[str, str] = {}
    asked: dict[str, Entry] = {}
    tried: set[str] = set()
    for entry in document["ledger"]:
        event, lead = entry.get("event"), entry.get("lead_id")
        if (entry.get("details") or {}).get("kind", "lead") != "lead":
            continue
        if event in ("queued", "readdressed"):
            fates[lead], asked[lead] = _WAITING, entry
            tried.discard(lead)
        elif event == "handed_over":
            fates[lead] = _ARRIVED
        elif event in FAILED:
            fates[lead] = _FAILED
        elif event == "hand_over_failed":
            tried.add(lead)
    return fates, asked, tried


def _due(document: Document, entry: Entry) -> datetime:
    """When the mail of a lead was to go: at the release, later for late joiners and digests."""
    daily = entry["details"].get("daily")
    return (
        time_of(daily)
        if daily
        else max(time_of(document["broadcast"]["released_at"]), time_of(entry["at"]))
    )


def spread(document: Document) -> tuple[bool, str]:
    """Leads that met no resistance left together."""
    # Who asked for a daily mail has the lead in its inbox at the release, the mail at seven.
    daily = {e["lead_id"] for e in lead_entries(document) if "daily" in e["details"]}
    resisted = {entry["lead_id"] for entry in lead_mails(document, "hand_over_failed")}
    together = {lead["id"] for lead in leads_by_company(document).values() if not lead["late"]}
    again = {e["lead_id"]: time_of(e["at"]) for e in reversed(entries_of(document, "readdressed"))}
    moments = [
        at
        for lead_id, at in hand_overs(document).items()
        if lead_id in together - resisted - daily and at < again.get(lead_id, _NEVER)
    ]
    if not moments:
        return True, "no lead has been handed over yet"
    seconds = (max(moments) - min(moments)).total_seconds()
    note = f", {len(resisted & together)} after a retry" if resisted & together else ""
    return seconds <= LONGEST_SPREAD, f"{seconds:.1f} s between first and last hand-over{note}"


def arrived_before(document: Document, again: Entry) -> bool:
    """Whether a lead mail had arrived, as far as is shown, before it went to another address."""
    arrived = False
    for entry in document["ledger"][: again["sequence"] - 1]:
        known = entry.get("lead_id") == again["lead_id"] and entry.get("details") is not None
        if known and entry["details"].get("kind") == "lead":
            arrived = entry["event"] == "handed_over"
    return arrived
