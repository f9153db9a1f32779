"""Verdicts: every rule judged, with the values that decided."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.eligibility import (
    CompanyFacts,
    NeedFacts,
    OfferFacts,
    Rule,
    SiteFacts,
    Terms,
    Verdict,
    judge,
)

MECHELEN, LIER = SiteFacts("12025", 51.028, 4.480), SiteFacts("12021", 51.131, 4.570)
TODAY = date(2027, 3, 1)
NEED = NeedFacts(lat=51.028, lon=4.480, on_site=None, starts_on=TODAY)
COMPANY = CompanyFacts(
    recognised=True,
    recognition="recognised",
    service_radius_km=30,
    sites=[LIER],
    offers=[OfferFacts(0.8, on_site=False, at_workshop=True)],
)
TERMS = Terms(frozenset({"12025", "12021"}), 0.3, TODAY)


def against(verdict: Verdict) -> set[Rule]:
    return {reason.rule for reason in verdict.against}


def test_a_company_that_meets_every_rule_is_eligible_and_says_why() -> None:
    verdict = judge(NEED, COMPANY, TERMS)
    assert verdict.eligible
    assert [reason.rule for reason in verdict.reasons] == list(Rule)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"recognised": False, "recognition": "suspended"}, Rule.RECOGNITION),
        ({"sites": [SiteFacts("99999", 51.131, 4.570)]}, Rule.TERRITORY),
        ({"service_radius_km": 5}, Rule.RADIUS),
        ({"absences": [(TODAY, TODAY + timedelta(days=3))]}, Rule.AVAILABILITY),
        ({"open_leads": 3, "max_open_leads": 3}, Rule.CAPACITY),
        ({"offers": [OfferFacts(0.1, False, True)]}, Rule.ACTIVITY),
        ({"offers": []}, Rule.ACTIVITY),
    ],
)
def test_each_rule_excludes_by_itself(changes: dict[str, object], rule: Rule) -> None:
    verdict = judge(NEED, replace(COMPANY, **changes), TERMS)  # type: ignore[arg-type]
    assert against(verdict) == {rule}


def test_the_radius_reason_carries_distance_and_radius() -> None:
    verdict = judge(NEED, replace(COMPANY, service_radius_km=5), TERMS)
    (reason,) = verdict.against
    assert reason.values == {"distance_km": 13, "radius_km": 5}


def test_on_site_work_needs_an_offer_that_goes_there() -> None:
    on_site = replace(NEED, on_site=True)
    assert against(judge(on_site, COMPANY, TERMS)) == {Rule.WORK_PLACE}
    able = replace(COMPANY, offers=[OfferFacts(0.8, True, False, radius_km=20)])
    assert judge(on_site, able, TERMS).eligible


def test_an_offer_for_other_work_does_not_lend_its_radius_or_place() -> None:
    company = replace(
        COMPANY,
        service_radius_km=5,
        offers=[OfferFacts(0.8, False, True), OfferFacts(0.05, True, True, radius_km=200)],
    )
    assert against(judge(replace(NEED, on_site=True), company, TERMS)) == {
        Rule.RADIUS,
        Rule.WORK_PLACE,
    }


def test_a_certificate_must_be_valid_when_the_work_starts() -> None:
    need = replace(NEED, certificates=frozenset({"haccp"}), starts_on=TODAY + timedelta(days=60))
    soon_over = replace(COMPANY, certificates={"haccp": TODAY + timedelta(days=30)})
    assert against(judge(need, soon_over, TERMS)) == {Rule.CERTIFICATES}
    assert judge(need, replace(COMPANY, certificates={"haccp": None}), TERMS).eligible


def test_all_in_region_asks_nothing_about_the_work() -> None:
    stranger = replace(COMPANY, offers=[])
    assert judge(NEED, stranger, replace(TERMS, threshold=None)).eligible


def test_an_absence_that_is_over_or_still_to_come_does_not_exclude() -> None:
    day = timedelta(days=1)
    company = replace(
        COMPANY, absences=[(TODAY - 9 * day, TODAY - day), (TODAY + day, TODAY + day)]
    )
    assert judge(NEED, company, TERMS).eligible


@given(
    radius=st.floats(0, 300),
    probability=st.floats(0, 1),
    threshold=st.none() | st.floats(0, 1),
    open_leads=st.integers(0, 20),
    limit=st.none() | st.integers(0, 20),
)
def test_eligible_exactly_when_no_reason_speaks_against(
    radius: float, probability: float, threshold: float | None, open_leads: int, limit: int | None
) -> None:
    company = replace(
        COMPANY,
        service_radius_km=radius,
        offers=[OfferFacts(probability, False, True)],
        open_leads=open_leads,
        max_open_leads=limit,
    )
    verdict = judge(NEED, company, replace(TERMS, threshold=threshold))
    assert verdict.eligible == (not verdict.against)
    assert {reason.rule for reason in verdict.reasons} == set(Rule)
    expected = (
        radius >= 13
        and (threshold is None or probability >= threshold)
        and (limit is None or open_leads < limit)
    )
    if abs(radius - 13) > 1:
        assert verdict.eligible == expected
