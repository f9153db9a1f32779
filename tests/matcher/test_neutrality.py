"""Neutral order is a permutation anyone can recompute; hashes show every change."""

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from matcher.neutrality import GENESIS, chained_hash, content_hash, neutral_order

IDS = st.lists(st.text(min_size=1, max_size=26), unique=True, max_size=12)


@given(st.text(min_size=1), IDS, st.randoms())
def test_the_order_does_not_depend_on_how_the_companies_come_in(
    need: str, companies: list[str], chance: object
) -> None:
    shuffled = list(companies)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert neutral_order(need, shuffled) == neutral_order(need, companies)
    assert sorted(neutral_order(need, companies)) == sorted(companies)


def test_the_published_rule_gives_the_same_order() -> None:
    need, companies = "01KNEED", ["a", "b", "c", "d"]
    by_hand = sorted(companies, key=lambda c: hashlib.sha256(f"{need}:{c}".encode()).hexdigest())
    assert neutral_order(need, companies) == by_hand


def test_no_company_is_always_first() -> None:
    companies = [f"company-{number}" for number in range(5)]
    first = [neutral_order(f"need-{number}", companies)[0] for number in range(500)]
    assert all(60 < first.count(company) < 140 for company in companies)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_the_content_hash_does_not_depend_on_the_order_of_keys(content: dict[str, object]) -> None:
    turned = dict(reversed(list(content.items())))
    assert content_hash(content) == content_hash(turned)
    assert content_hash(content) == content_hash(json.loads(json.dumps(content)))


def test_a_changed_entry_changes_every_hash_after_it() -> None:
    first = chained_hash(GENESIS, {"event": "released"})
    assert chained_hash(first, {"event": "x"}) != chained_hash(
        chained_hash(GENESIS, {"event": "changed"}), {"event": "x"}
    )
