"""Judging rests on the rows of this moment: nothing that is kept can leave a company out."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from api.runtime import Runtime
from api.services import candidates, hubs, matching, needs, previews
from api.services.desk import Desk
from api.services.needs import NeedDraft
from models import Absence, Certificate, Company, Need, Offer
from tests.conftest import World

TEXT = "Wie kan onze vuile luiers en lakens ophalen, wassen, plooien en proper terugbrengen?"


@pytest.fixture
def need(runtime: Runtime, world: World) -> Need:
    with runtime.sessions.begin() as session:
        draft = NeedDraft(
            text=TEXT,
            place="2800 Mechelen",
            firm_name="Crèche De Zandkorrel",
            contact_name="Finn",
            contact_email=world.finn.email,
        )
        return needs.submit(Desk(session, runtime, world.finn), draft, proven=True)


@pytest.fixture
def fresh(runtime: Runtime) -> Iterator[Desk]:
    with runtime.sessions.begin() as session:
        yield Desk(session, runtime)


def eligible(runtime: Runtime, need: Need) -> dict[str, str]:
    """Company id -> the offer line that suits best, of who is eligible now."""
    with runtime.sessions() as session:
        desk = Desk(session, runtime)
        loaded = needs.with_steps(desk, session.get_one(Need, need.id))
        found = matching.assess(desk, loaded).eligible
        return {each.company.id: each.match.offer_text for each in found}


def change_unseen(runtime: Runtime, offer_id: str, **values: object) -> None:
    """A change whose moment is not newer than the last: made earlier, committed later."""
    with runtime.sessions.begin() as session:
        session.execute(
            update(Offer)
            .where(Offer.id == offer_id)
            .values(updated_at=Offer.updated_at, **values)
            .execution_options(synchronize_session=False)
        )


def test_an_offer_changed_behind_the_fingerprint_is_judged(
    runtime: Runtime, world: World, need: Need
) -> None:
    assert set(eligible(runtime, need)) == {world.wash}
    with runtime.sessions() as session:
        (offer, *_) = candidates.of_territory(
            Desk(session, runtime), hubs.territory(Desk(session, runtime), world.hub)
        )[-1].offers
    text = "Wasserij: luiers en lakens ophalen, wassen, strijken en plooien"
    change_unseen(runtime, offer.id, text=text)
    assert eligible(runtime, need)[world.pack] == text


def test_an_offer_taken_up_again_behind_the_fingerprint_is_judged(
    runtime: Runtime, world: World, need: Need
) -> None:
    with runtime.sessions() as session:
        desk = Desk(session, runtime)
        found = candidates.of_territory(desk, hubs.territory(desk, world.hub))
        offers = next(each.offers for each in found if each.id == world.wash)
    for offer in offers:
        change_unseen(runtime, offer.id, active=False)
    assert eligible(runtime, need) == {}
    for offer in offers:
        change_unseen(runtime, offer.id, active=True)
    assert set(eligible(runtime, need)) == {world.wash}


def test_facts_changed_after_a_first_look_count_at_once(
    runtime: Runtime, world: World, need: Need
) -> None:
    assert set(eligible(runtime, need)) == {world.wash}
    with runtime.sessions.begin() as session:
        today = Desk(session, runtime).today
        absence = Absence(company_id=world.wash, starts_on=today, ends_on=today)
        session.add(absence)
    assert eligible(runtime, need) == {}
    with runtime.sessions.begin() as session:
        session.delete(session.get_one(Absence, absence.id))
    assert set(eligible(runtime, need)) == {world.wash}


def test_a_need_is_read_and_ranked_once_per_text_and_index(
    runtime: Runtime, world: World, need: Need
) -> None:
    eligible(runtime, need)
    first = list(runtime.kept.values())
    eligible(runtime, need)
    assert list(runtime.kept.values()) == first
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, world.cato)
        needs.correct_steps(desk, need.id, [("lakens wassen", ["textiel-wassen"])])
    eligible(runtime, need)
    assert list(runtime.kept.values())[: len(first)] == first
    assert len(runtime.kept) == len(first) + 1


def test_only_so_much_is_kept(
    runtime: Runtime, world: World, fresh: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "MOST_KEPT", 2)
    place = runtime.places.find("2800 Mechelen")
    for text in ("Wie kan dozen plooien?", "Wie kan ons gras maaien?"):
        previews.preview(fresh, text, place)
    assert len(runtime.kept) == 2
    assert "Wie kan ons gras maaien?" in runtime.kept


def test_a_candidate_has_all_that_eligibility_looks_at(
    runtime: Runtime, world: World, fresh: Desk
) -> None:
    session, today = fresh.session, fresh.today
    company = session.get_one(Company, world.wash)
    company.max_open_leads, company.service_radius_km = 3, 12.5
    session.add_all(
        [
            Certificate(company_id=world.wash, code="haccp", valid_until=today),
            Certificate(company_id=world.wash, code="vca"),
            Absence(company_id=world.wash, starts_on=today, ends_on=today + timedelta(days=3)),
        ]
    )
    session.flush()
    found = candidates.of_territory(fresh, hubs.territory(fresh, world.hub))
    assert [each.id for each in found] == sorted((world.wash, world.pack))
    facts = next(each for each in found if each.id == world.wash).facts({})
    assert facts.recognised
    assert facts.service_radius_km == 12.5
    assert facts.max_open_leads == 3
    assert facts.certificates == {"haccp": today, "vca": None}
    assert facts.absences == [(today, today + timedelta(days=3))]
    assert [site.nis for site in facts.sites] == ["12025"]
    assert [(offer.on_site, offer.at_workshop) for offer in facts.offers] == [(False, True)] * 2


def test_one_added_from_anywhere_is_a_candidate_also_when_not_active(
    runtime: Runtime, world: World, fresh: Desk
) -> None:
    fresh.session.get_one(Company, world.far).active = False
    fresh.session.flush()
    territory = hubs.territory(fresh, world.hub)
    assert world.far not in {each.id for each in candidates.of_territory(fresh, territory)}
    also = candidates.of_territory(fresh, territory, also=frozenset({world.far}))
    assert world.far in {each.id for each in also}
