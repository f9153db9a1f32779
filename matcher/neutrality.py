"""The arithmetic of neutrality: an order anyone can recompute, and hashes that show a change.

Neutral order, the published rule: give every company the SHA-256 of "<need id>:<company id>",
written in hexadecimal, and sort by it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

GENESIS = "0" * 64


def neutral_key(need_id: str, company_id: str) -> str:
    """The sort key of one company for one need, by the published rule."""
    return hashlib.sha256(f"{need_id}:{company_id}".encode()).hexdigest()


def neutral_order(need_id: str, company_ids: Iterable[str]) -> list[str]:
    """The companies in the neutral order of this need, whatever order they come in."""
    return sorted(company_ids, key=lambda company_id: neutral_key(need_id, company_id))


def canonical_json(value: Any) -> str:
    """The one way a value is written before it is hashed: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of what every recipient gets."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def chained_hash(previous: str, entry: Mapping[str, Any]) -> str:
    """The hash of a ledger entry: covers the entry and the hash before it."""
    return hashlib.sha256(f"{previous}\n{canonical_json(entry)}".encode()).hexdigest()
