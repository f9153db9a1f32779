"""The demo network: correct by the same tables an import is checked against, and varied enough."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from stdnum.be import vat

from matcher.activities import Activities
from matcher.places import Places, distance_km

DATA = Path(__file__).resolve().parents[2] / "data"
PLACES = Places.load(DATA)
ACTIVITIES = Activities.load(DATA)
DATE = re.compile(r"[+-]\d+|\d{4}-\d\d-\d\d")
NEED_STATES = {
    "draft", "submitted", "open", "deciding", "chosen",
    "none_chosen", "returned", "referred", "no_fit", "withdrawn",
}  # fmt: skip


def rows(path: str) -> list[dict[str, str]]:
    with (DATA / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


COMPANIES = rows("demo/companies.csv")
OFFERS = rows("demo/offers.csv")
FIRMS = rows("demo/firms.csv")
NEEDS = [
    json.loads(line) for line in (DATA / "demo/needs.jsonl").read_text("utf-8").splitlines() if line
]
EXPECTED = {row["need"]: row["activities"] for row in rows("demo/expected.csv")}
CERTIFICATES = {row["code"] for row in rows("certificates.csv")}
HUB_OF = {row["nis"]: row["hub"] for row in rows("hub_territories.csv")}


def split(text: str) -> list[str]:
    return [part for part in text.split("|") if part]


def test_the_network_is_large_enough() -> None:
    assert len(COMPANIES) >= 110
    assert len(FIRMS) == 40
    assert len(NEEDS) >= 60
    lines = Counter(offer["company"] for offer in OFFERS)
    assert set(lines) == {company["external_id"] for company in COMPANIES}
    assert set(lines.values()) <= {3, 4, 5, 6}


@pytest.mark.parametrize("table", [COMPANIES, OFFERS, FIRMS, NEEDS])
def test_identifiers_are_unique(table: list[dict[str, str]]) -> None:
    identifiers = [row["external_id"] for row in table]
    assert len(set(identifiers)) == len(identifiers)


def test_company_numbers_are_valid_unique_and_never_issued() -> None:
    numbers = [row["kbo"] for row in COMPANIES + FIRMS]
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        assert vat.validate(number) == number
        assert number.startswith(("1998", "1999"))


def test_mail_goes_nowhere() -> None:
    addresses = [row["email"] for row in COMPANIES + FIRMS]
    assert len(set(addresses)) == len(addresses)
    assert all(re.fullmatch(r"[a-z]+@[a-z0-9-]+\.example", each) for each in addresses)


@pytest.mark.parametrize("company", COMPANIES, ids=lambda row: row["external_id"])
def test_a_company_is_correct(company: dict[str, str]) -> None:
    assert company["name"]
    assert company["description"]
    assert company["language"] in {"nl", "fr", "en"}
    assert company["recognition"] in {"recognised", "suspended", "ended"}
    assert 10 <= int(company["service_radius_km"]) <= 100
    assert company["max_open_leads"] == "" or int(company["max_open_leads"]) > 0
    assert company["sites"]
    for site in split(company["sites"]):
        place, street = site.split(", ", 1)
        assert PLACES.find(place).postcode == place[:4]
        assert street
    for certificate in split(company["certificates"]):
        code, _, until = certificate.partition(":")
        assert code in CERTIFICATES
        assert not until or DATE.fullmatch(until)
    for absence in split(company["absences"]):
        days, _, note = absence.partition(" ")
        assert all(DATE.fullmatch(day) for day in days.split(".."))
        assert note


def test_some_companies_show_every_reason_to_be_left_out() -> None:
    status = Counter(company["recognition"] for company in COMPANIES)
    assert status["suspended"]
    assert status["ended"]
    assert any(company["absences"] for company in COMPANIES)
    assert any(":-" in company["certificates"] for company in COMPANIES)
    assert any(company["max_open_leads"] for company in COMPANIES)


def test_offers_are_correct_and_no_two_alike() -> None:
    texts = [offer["text"] for offer in OFFERS]
    assert len({text.casefold() for text in texts}) == len(texts)
    for offer in OFFERS:
        assert "yes" in (offer["on_site"], offer["at_workshop"])
        assert {offer["on_site"], offer["at_workshop"]} <= {"yes", "no"}
        assert offer["radius_km"] == "" or int(offer["radius_km"]) > 0
        assert all(code in ACTIVITIES for code in split(offer["activities"]))


def test_every_activity_is_offered_often_and_all_over_flanders() -> None:
    seat = {each["external_id"]: PLACES.find(each["sites"].split(",")[0]) for each in COMPANIES}
    offered = Counter(code for offer in OFFERS for code in split(offer["activities"]))
    assert min(offered[each.code] for each in ACTIVITIES.all) >= 4
    for activity in ACTIVITIES.all:
        provinces = {
            PLACES.municipality(seat[offer["company"]].nis).province
            for offer in OFFERS
            if activity.code in split(offer["activities"])
        }
        assert len(provinces - {""}) >= 3, activity.code
    hubs = Counter(HUB_OF.get(place.nis) for place in seat.values())
    assert all(hubs[hub] >= 5 for hub in set(HUB_OF.values()))


def test_firms_are_correct() -> None:
    kinds = Counter(firm["kind"] for firm in FIRMS)
    assert set(kinds) == {"firm", "school", "care", "government", "association"}
    for firm in FIRMS:
        assert firm["language"] in {"nl", "fr", "en"}
        assert PLACES.by_postcode(firm["postcode"])
        assert firm["contact_name"]


def test_needs_are_correct_and_come_in_every_state() -> None:
    assert {need["state"] for need in NEEDS} == NEED_STATES
    assert {need["language"] for need in NEEDS} == {"nl", "fr", "en"}
    assert {need["firm"] for need in NEEDS} <= {firm["external_id"] for firm in FIRMS}
    assert len({need["text"] for need in NEEDS}) == len(NEEDS)
    assert set(EXPECTED) == {need["external_id"] for need in NEEDS}
    for need in NEEDS:
        assert need["work_place"] in {"on_site", "at_workshop", "either"}
        assert set(need["certificates"]) <= CERTIFICATES
        assert DATE.fullmatch(need["starts_on"])
        assert PLACES.by_postcode(need["postcode"])[0].nis in HUB_OF, "no hub serves this place"
        codes = split(EXPECTED[need["external_id"]])
        assert all(code in ACTIVITIES for code in codes)
        assert bool(codes) == (need["state"] != "no_fit")


SENT = [n for n in NEEDS if n["state"] in {"open", "deciding", "chosen", "none_chosen", "returned"}]


@pytest.mark.parametrize("need", SENT, ids=lambda need: str(need["external_id"]))
def test_a_need_that_was_sent_has_at_least_two_companies_that_do_such_work(
    need: dict[str, str],
) -> None:
    place = PLACES.by_postcode(need["postcode"])[0]
    wanted = set(split(EXPECTED[need["external_id"]]))
    able = set()
    for company in COMPANIES:
        sites = [PLACES.find(site.split(",")[0]) for site in split(company["sites"])]
        away = min(distance_km(site, place) for site in sites)
        held = {each.split(":")[0] for each in split(company["certificates"]) if ":-" not in each}
        for offer in OFFERS:
            if (
                offer["company"] == company["external_id"]
                and company["recognition"] == "recognised"
                and HUB_OF[place.nis] in {HUB_OF.get(site.nis) for site in sites}
                and wanted.intersection(split(offer["activities"]))
                and offer.get(need["work_place"], "yes") == "yes"
                and away <= int(offer["radius_km"] or company["service_radius_km"])
                and held.issuperset(need["certificates"])
            ):
                able.add(company["external_id"])
    assert len(able) >= 2
