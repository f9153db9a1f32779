"""Stored vectors: made once, remade when text or encoder changes, never lacking meanwhile."""

import threading
from collections.abc import Iterator, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select

from api.runtime import Runtime
from api.services import companies, offers, vectors
from api.services.desk import IMPORT, Desk
from api.worker import chores
from models import Offer, OfferVector
from tests.conftest import World


class OtherEncoder:
    """An encoder of another make: four dimensions, one axis per call."""

    identity = "other"
    dimension = 4

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoded += texts
        rows = np.zeros((len(texts), 4), np.float32)
        rows[:, len(self.encoded) % 4] = 1
        return rows


@pytest.fixture
def desk(runtime: Runtime, world: World) -> Iterator[Desk]:
    with runtime.sessions.begin() as session:
        yield Desk(session, runtime, IMPORT)


def kept(desk: Desk) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in desk.session.scalars(select(OfferVector)):
        found.setdefault(row.encoder, set()).add(row.offer_id)
    return found


def test_every_offer_is_encoded_once(desk: Desk) -> None:
    offers = set(desk.session.scalars(select(Offer.id)))
    steps: list[tuple[int, int]] = []
    assert vectors.refresh_vectors(desk, lambda done, of: steps.append((done, of))) == len(offers)
    assert steps[-1] == (len(offers), len(offers))
    assert kept(desk) == {desk.runtime.ranker.encoder.identity: offers}
    assert vectors.refresh_vectors(desk) == 0


def test_a_changed_text_is_encoded_anew(desk: Desk, world: World) -> None:
    vectors.refresh_vectors(desk)
    offer = offers.of_company(desk, world.wash)[0]
    offers.change(desk, offer.id, text="Voortaan strijken wij alleen nog hemden")
    desk.session.flush()
    assert [each.id for each in vectors.stale_offers(desk, desk.runtime.ranker.encoder)] == [
        offer.id
    ]
    assert vectors.refresh_vectors(desk) == 1


def test_another_encoder_remakes_all_and_then_drops_the_old(desk: Desk) -> None:
    vectors.refresh_vectors(desk)
    offers = set(desk.session.scalars(select(Offer.id)))
    other = OtherEncoder()
    desk.runtime.__dict__["ranker"] = SimpleNamespace(encoder=other, encode_offers=other.encode)
    assert vectors.refresh_vectors(desk) == len(offers)
    assert kept(desk) == {"other": offers}
    row = desk.session.scalars(select(OfferVector)).first()
    assert row is not None
    assert np.frombuffer(row.vector, "<f4").shape == (4,)


def test_the_index_lacks_no_offer_whether_or_not_vectors_are_stored(desk: Desk) -> None:
    offers = set(desk.session.scalars(select(Offer.id)))
    fresh = vectors.offer_index(desk)
    assert {line.id for line in fresh.offers} == offers
    vectors.refresh_vectors(desk)
    desk.runtime.offer_index = None
    stored = vectors.offer_index(desk)
    np.testing.assert_allclose(fresh.vectors, stored.vectors, atol=1e-6)


def test_the_index_follows_every_change(desk: Desk, world: World) -> None:
    before = vectors.offer_index(desk)
    assert vectors.offer_index(desk) is before
    offer = offers.of_company(desk, world.wash)[0]
    offers.change(desk, offer.id, active=False)
    desk.session.flush()
    assert offer.id not in {line.id for line in vectors.offer_index(desk).offers}
    companies.deactivate(desk, world.pack)
    desk.session.flush()
    assert world.pack not in {line.company_id for line in vectors.offer_index(desk).offers}


def test_the_worker_stores_vectors_a_few_at_a_time(
    runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "FEW", 2)
    chores.Chores(runtime, threading.Event()).run_once()
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime)
        assert vectors.stale_offers(desk, runtime.ranker.encoder) == []
        assert len(kept(desk)[runtime.ranker.encoder.identity]) == 5


def test_workers_at_once_encode_an_offer_only_once(runtime: Runtime, world: World) -> None:
    with runtime.sessions.begin() as session:
        for number in range(100):
            session.add(Offer(company_id=world.wash, text=f"Lakens wassen, soort {number}"))
    workers = [
        threading.Thread(target=chores.Chores(runtime, threading.Event())._encode_offers)
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    chores.Chores(runtime, threading.Event())._encode_offers()
    with runtime.sessions() as session:
        offers = session.scalars(select(Offer.id)).all()
        encoded = session.scalars(select(OfferVector.offer_id)).all()
    assert sorted(encoded) == sorted(offers)
