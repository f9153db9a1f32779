"""Places: finding them the way people write them, and the distance between them."""

import math
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.places import AmbiguousPlace, Place, Places, UnknownPlace, distance_km, fold

DATA = Path(__file__).resolve().parents[2] / "data"
PLACES = Places.load(DATA)

spot = st.builds(
    Place,
    postcode=st.just("0000"),
    name=st.just("anywhere"),
    also=st.just(()),
    nis=st.just("0"),
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
)


@pytest.mark.parametrize(
    ("text", "found", "municipality"),
    [
        ("2800 Mechelen", "2800 Mechelen", "Mechelen"),
        ("2800", "2800 Mechelen", "Mechelen"),
        ("  mechelen ", "2800 Mechelen", "Mechelen"),
        ("Malines", "2800 Mechelen", "Mechelen"),
        ("B-2800 MALINES", "2800 Mechelen", "Mechelen"),
        ("Mechelen 2800, België", "2800 Mechelen", "Mechelen"),
        ("2800 Walem", "2800 Walem", "Mechelen"),
        ("2801 Mechelen", "2801 Heffen", "Mechelen"),
        ("Heffen", "2801 Heffen", "Mechelen"),
        ("1800 Vilvoorde", "1800 Vilvoorde", "Vilvoorde"),
        ("Laken", "1020 Laken", "Brussel"),
        ("laeken", "1020 Laken", "Brussel"),
        ("Bruxelles", "1000 Brussel", "Brussel"),
        ("St-Niklaas", "9100 Sint-Niklaas", "Sint-Niklaas"),
        ("st.-truiden", "3800 Sint-Truiden", "Sint-Truiden"),
        ("sint job in 't goor", "2960 Sint-Job-in-'t-Goor", "Brecht"),
        ("Rhode-Saint-Genèse", "1640 Sint-Genesius-Rode", "Sint-Genesius-Rode"),
        ("Aalst", "9300 Aalst", "Aalst"),
        ("Aalst (Sint-Truiden)", "3800 Aalst", "Sint-Truiden"),
        ("Beveren", "9120 Beveren-Waas", "Beveren-Kruibeke-Zwijndrecht"),
        ("8800 Beveren", "8800 Beveren", "Roeselare"),
        ("Beveren (Roeselare)", "8800 Beveren", "Roeselare"),
        ("Puurs-Sint-Amands", "2870 Puurs", "Puurs-Sint-Amands"),
        ("Tongres", "3700 Tongeren", "Tongeren-Borgloon"),
    ],
)
def test_places_are_found_as_people_write_them(text: str, found: str, municipality: str) -> None:
    place = PLACES.find(text)
    assert str(place) == found
    assert PLACES.municipality(place.nis).name_nl == municipality


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("Mechele", "2800 Mechelen"),
        ("2800 Mechele", "2800 Mechelen"),
        ("2800 Leuven", "3000 Leuven"),
        ("2080 Kapellen", "2950 Kapellen"),
        ("2081", "2801 Heffen"),
        ("Zele, Antwerpn", "9240 Zele"),
        ("Viilvoorde", "1800 Vilvoorde"),
    ],
)
def test_an_unknown_place_suggests_what_was_meant(text: str, suggestion: str) -> None:
    with pytest.raises(UnknownPlace, match="did you mean") as caught:
        PLACES.find(text)
    assert suggestion in map(str, caught.value.suggestions)
    assert caught.value.text == text


def test_a_village_name_that_several_municipalities_share_is_not_guessed() -> None:
    with pytest.raises(AmbiguousPlace, match="several places") as caught:
        PLACES.find("Heusden")
    assert {str(each) for each in caught.value.suggestions} == {"9070 Heusden", "3550 Heusden"}


@pytest.mark.parametrize("text", ["", "   ", "?!", "x", "België"])
def test_nothing_is_found_in_nothing(text: str) -> None:
    with pytest.raises(UnknownPlace):
        PLACES.find(text)


def test_by_postcode_gives_the_main_place_first() -> None:
    assert [each.name for each in PLACES.by_postcode("2800")] == ["Mechelen", "Walem"]
    with pytest.raises(UnknownPlace, match="did you mean"):
        PLACES.by_postcode("0999")


def test_an_unknown_nis_code_is_refused() -> None:
    assert PLACES.municipality("12025").name("fr") == "Malines"
    assert PLACES.municipality("12025").name("en") == "Mechelen"
    with pytest.raises(UnknownPlace, match="99999"):
        PLACES.municipality("99999")


@given(st.sampled_from(PLACES.places))
def test_every_place_is_found_by_postcode_and_name(place: Place) -> None:
    found = PLACES.find(f"{place.postcode} {place.name}")
    assert (found.postcode, found.nis) == (place.postcode, place.nis)
    assert fold(found.name) == fold(place.name)


@given(st.text(max_size=40))
def test_any_text_gives_a_place_or_unknown_place(text: str) -> None:
    try:
        found = PLACES.find(text)
    except UnknownPlace as error:
        found = next(iter(error.suggestions), PLACES.places[0])
    assert found in PLACES.places


def test_known_distances() -> None:
    # Between the town centres, measured on the map: Gent-Mechelen 52 km, Oostende-Genk 183 km.
    assert distance_km(PLACES.find("Gent"), PLACES.find("Mechelen")) == pytest.approx(52.4, abs=1)
    far = distance_km(PLACES.find("Oostende"), PLACES.find("Genk"))
    assert far == pytest.approx(183, abs=3)


@given(spot, spot, spot)
def test_distance_is_a_metric(a: Place, b: Place, c: Place) -> None:
    assert distance_km(a, a) == 0
    assert distance_km(a, b) == distance_km(b, a)
    assert 0 <= distance_km(a, b) <= math.pi * 6371.0088 + 1e-6
    assert distance_km(a, c) <= distance_km(a, b) + distance_km(b, c) + 1e-3


def test_loading_is_fast_enough_for_every_start() -> None:
    def once() -> float:
        start = time.process_time()
        Places.load(DATA)
        return time.process_time() - start

    assert min(once() for _ in range(5)) < 0.030
