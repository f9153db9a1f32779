"""The taxonomy: complete in three languages and consistent with itself."""

import csv
import shutil
from pathlib import Path

import pytest

from matcher.activities import LANGUAGES, Activities, UnknownActivity

DATA = Path(__file__).resolve().parents[2] / "data"
ACTIVITIES = Activities.load(DATA)


def test_there_are_forty_to_seventy_activities_in_every_language() -> None:
    assert 40 <= len(ACTIVITIES.all) <= 70
    for lang in LANGUAGES:
        labels = [each.label(lang) for each in ACTIVITIES.all]
        assert all(labels)
        assert len(set(labels)) == len(labels)
        assert all(chain.label(lang) for chain in ACTIVITIES.value_chains)


def test_lookup_and_labels() -> None:
    washing = ACTIVITIES["textiel-wassen"]
    assert washing.value_chain == "textiel"
    assert washing.label("fr") == "lavage et séchage de textile"
    assert washing.label("de") == washing.label("nl")
    assert "textiel-wassen" in ACTIVITIES
    assert ACTIVITIES.value_chain("textiel").label("en") == "textiles"
    assert hash(washing) == hash(Activities.load(DATA)["textiel-wassen"])


def test_every_value_chain_has_activities_and_every_activity_a_chain() -> None:
    grouped = [
        each for chain in ACTIVITIES.value_chains for each in ACTIVITIES.in_chain(chain.code)
    ]
    assert sorted(each.code for each in grouped) == sorted(each.code for each in ACTIVITIES.all)
    assert all(ACTIVITIES.in_chain(chain.code) for chain in ACTIVITIES.value_chains)


def test_no_activity_is_near_itself() -> None:
    assert all(each.code not in each.near for each in ACTIVITIES.all)
    assert all(each.about and each.near for each in ACTIVITIES.all)


def test_unknown_codes_are_refused() -> None:
    with pytest.raises(UnknownActivity, match="vliegen"):
        ACTIVITIES["vliegen"]
    with pytest.raises(UnknownActivity, match="lucht"):
        ACTIVITIES.in_chain("lucht")


@pytest.mark.parametrize("column", ["value_chain", "near"])
def test_a_file_that_points_nowhere_is_refused(tmp_path: Path, column: str) -> None:
    shutil.copy(DATA / "value_chains.csv", tmp_path)
    with (DATA / "activities.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[3][column] = "nergens"
    with (tmp_path / "activities.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(UnknownActivity, match="nergens"):
        Activities.load(tmp_path)
