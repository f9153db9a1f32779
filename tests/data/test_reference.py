"""The reference tables: complete, consistent, and equal to the published facts."""

import csv
import math
import os
from collections import Counter
from pathlib import Path

import pytest

from matcher.activities import Activities
from matcher.places import Places, distance_km

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
REFERENCE = Path(os.environ.get("MAATMATCH_SHARED") or ROOT.parent / "shared") / "reference"
PLACES = Places.load(DATA)

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(),
    reason=f"no reference tables in {REFERENCE}; set MAATMATCH_SHARED to the folder that has them",
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_all_municipalities_of_flanders_and_brussels_are_there() -> None:
    regions = Counter(each.region for each in PLACES.municipalities)
    assert regions == {"flanders": 285, "brussels": 19}
    flemish = [each for each in PLACES.municipalities if each.region == "flanders"]
    assert len({each.referentieregio for each in flemish}) == 15
    assert len({each.province for each in flemish}) == 5
    assert len({each.nis for each in PLACES.municipalities}) == 304


def test_municipalities_and_places_agree_on_postcodes() -> None:
    for municipality in PLACES.municipalities:
        codes = {each.postcode for each in PLACES.places if each.nis == municipality.nis}
        assert codes == set(municipality.postcodes), municipality.name_nl


def test_places_lie_near_their_municipality() -> None:
    for place in PLACES.places:
        away = distance_km(place, PLACES.municipality(place.nis))
        assert away < 20, f"{place} lies {away:.0f} km from the centre"


@needs_reference
def test_municipalities_equal_the_reference() -> None:
    published = {
        row["nis"]: row
        for row in rows(REFERENCE / "municipalities_2025.csv")
        if row["region_nl"] != "Waals Gewest"
    }
    assert {each.nis for each in PLACES.municipalities} == set(published)
    for each in PLACES.municipalities:
        fact = published[each.nis]
        assert (each.name_nl, each.name_fr) == (fact["name_nl"], fact["name_fr"])
        assert each.province == fact["prov_nl"].removeprefix("Provincie ")
        assert (each.region == "flanders") == (fact["region_nl"] == "Vlaams Gewest")
        assert each.referentieregio == fact["referentieregio"]
        assert set(each.postcodes) == set(fact["postcodes"].split("|"))
        assert math.isclose(each.lat, float(fact["lat_center"]), abs_tol=1e-3)
        assert math.isclose(each.lon, float(fact["lon_center"]), abs_tol=1e-3)


@needs_reference
def test_places_equal_the_reference() -> None:
    published = {
        (row["postcode"], row["place"], row["nis"]): row
        for row in rows(REFERENCE / "postcodes_2025.csv")
        if row["region_nl"] != "Waals Gewest"
    }
    ours = {(each.postcode, each.name, each.nis): each for each in PLACES.places}
    assert set(ours) == set(published)
    for key, place in ours.items():
        assert math.isclose(place.lat, float(published[key]["lat"]), abs_tol=1e-3)
        assert math.isclose(place.lon, float(published[key]["lon"]), abs_tol=1e-3)


@needs_reference
def test_every_municipality_merged_away_is_still_found() -> None:
    for row in rows(REFERENCE / "municipalities_2025.csv"):
        if row["region_nl"] == "Waals Gewest" or not row["merged_from"]:
            continue
        for former in row["merged_from"].split("|"):
            assert PLACES.find(former).nis == row["nis"], former


def test_every_flemish_municipality_is_in_exactly_one_territorial_hub() -> None:
    territory = rows(DATA / "hub_territories.csv")
    hubs = {row["slug"]: row for row in rows(DATA / "hubs.csv")}
    flemish = [each.nis for each in PLACES.municipalities if each.region == "flanders"]
    assert sorted(row["nis"] for row in territory) == sorted(flemish)
    territorial = {slug for slug, hub in hubs.items() if hub["kind"] == "territory"}
    assert {row["hub"] for row in territory} == territorial


def test_there_are_twelve_hubs_and_one_works_for_all_of_flanders() -> None:
    hubs = rows(DATA / "hubs.csv")
    activities = Activities.load(DATA)
    assert len({row["slug"] for row in hubs}) == 12
    assert Counter(row["kind"] for row in hubs) == {"territory": 11, "value_chain": 1}
    for hub in hubs:
        assert hub["name"]
        assert hub["organisation_kind"]
        seat = PLACES.find(hub["seat"])
        if hub["kind"] == "value_chain":
            assert activities.in_chain(hub["value_chain"])
        else:
            assert hub["value_chain"] == ""
            served = {
                r["nis"] for r in rows(DATA / "hub_territories.csv") if r["hub"] == hub["slug"]
            }
            assert seat.nis in served, f"{hub['name']} sits outside its territory"


def test_a_hub_follows_the_referentieregios() -> None:
    served = {row["nis"]: row["hub"] for row in rows(DATA / "hub_territories.csv")}
    hubs_of_region: dict[str, set[str]] = {}
    for each in PLACES.municipalities:
        if each.region == "flanders":
            hubs_of_region.setdefault(each.referentieregio, set()).add(served[each.nis])
    assert all(len(hubs) == 1 for hubs in hubs_of_region.values())


def test_certificates_are_named_in_every_language() -> None:
    certificates = rows(DATA / "certificates.csv")
    assert len({row["code"] for row in certificates}) == len(certificates)
    assert all(row[lang] for row in certificates for lang in ("nl", "fr", "en"))
