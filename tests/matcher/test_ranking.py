"""The ranking sees texts only: no order, no company, no other offers."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher.encoder import EncoderError, StaticEncoder
from matcher.explain import explain, word_vectors
from matcher.ranking import Ranker
from matcher.signals import OfferLine
from matcher.text import detect_language

LINES = [
    ("wash", "Industriële wasserij voor linnen en luiers, met ophaling"),
    ("bike", "Herstelling en onderhoud van fietsen op locatie"),
    ("pack", "Verpakken en etiketteren van voeding onder HACCP"),
    ("green", "Tuinonderhoud, hagen scheren en gazon maaien"),
    ("wood", "Houten kisten en paletten op maat"),
]
NEED = "Onze crèche zoekt iemand voor de vuile pampers, twee keer per week"


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    return Ranker.load()


def by_id(ranker: Ranker, offers: list[OfferLine], need: str = NEED) -> dict[str, float]:
    ranking = ranker.rank(need, ranker.index(offers))
    return {o.id: float(s) for o, s in zip(ranking.offers, ranking.score, strict=True)}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    order=st.permutations(LINES), companies=st.lists(st.text(max_size=30), min_size=5, max_size=5)
)
def test_order_and_company_change_nothing(
    ranker: Ranker, order: list[tuple[str, str]], companies: list[str]
) -> None:
    plain = by_id(ranker, [OfferLine(id_, text) for id_, text in LINES])
    named = [OfferLine(i, t, c) for (i, t), c in zip(order, companies, strict=True)]
    assert by_id(ranker, named) == pytest.approx(plain, abs=1e-4)
    ranked = ranker.rank(NEED, ranker.index(named))
    assert named[int(ranked.order[0])].id == "wash"


def test_other_offers_change_nothing(ranker: Ranker) -> None:
    offers = [OfferLine(id_, text) for id_, text in LINES]
    assert by_id(ranker, offers[:1])["wash"] == pytest.approx(
        by_id(ranker, offers)["wash"], abs=1e-4
    )


def test_equal_scores_go_by_id(ranker: Ranker) -> None:
    offers = [OfferLine(id_, "Fietsen herstellen") for id_ in ("b", "c", "a")]
    ranking = ranker.rank("platte band", ranker.index(offers))
    assert [offers[row].id for row in ranking.order] == ["a", "b", "c"]


def test_many_lines_of_a_company_do_not_add_up(ranker: Ranker) -> None:
    one = ranker.rank(NEED, ranker.index([OfferLine("1", LINES[0][1], "x")]))
    more = ranker.rank(NEED, ranker.index([OfferLine(str(n), LINES[0][1], "x") for n in range(9)]))
    first, many = one.best_by_company()["x"], more.best_by_company()["x"]
    assert many.probability == pytest.approx(first.probability, abs=1e-5)


def test_stored_vectors_rank_the_same(ranker: Ranker) -> None:
    offers = [OfferLine(id_, text) for id_, text in LINES]
    stored = ranker.encode_offers([offer.text for offer in offers])
    fresh, held = ranker.index(offers), ranker.index(offers, stored)
    assert np.array_equal(ranker.rank(NEED, fresh).score, ranker.rank(NEED, held).score)
    with pytest.raises(ValueError, match="vectors of shape"):
        ranker.index(offers, stored[:2])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wie kan onze lakens wassen?", "nl"),
        ("fietsen herstellen", "nl"),
        ("Nous cherchons quelqu'un pour laver les draps", "fr"),
        ("nettoyage de bureaux", "fr"),
        ("We need someone to repair bikes", "en"),
        ("packing and labelling", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_words_add_up_to_the_similarity(ranker: Ranker) -> None:
    encoder = ranker.encoder
    assert isinstance(encoder, StaticEncoder)
    for text in (NEED, "lavage de couches", "typefuot in fietsherstelilng"):
        _, rows = word_vectors(encoder, text)
        assert rows.sum(axis=0) == pytest.approx(encoder.encode([text])[0], abs=1e-5)


def test_explanation_names_the_words(ranker: Ranker) -> None:
    found = explain(ranker, "luiers wassen", LINES[0][1])
    assert {"luiers", "wassen"} & {word for word, _ in found.need_words}
    assert sum(found.shares.values()) == pytest.approx(1, abs=1e-5)


def test_a_foreign_encoder_is_refused(ranker: Ranker) -> None:
    class Other:
        identity, dimension = "other", 256
        encode = ranker.encoder.encode

    with pytest.raises(EncoderError, match="maatmatch train"):
        Ranker.load(encoder=Other())


STORY = (
    "Ons bedrijf begon in 1974 in een oude school. We verpakken koekjes voor "
    "bakkers uit de streek.\n"
    "- Industriële wasserij voor linnen en luiers.\n- In de tuinploeg werken twaalf mensen."
)


def test_a_long_offer_is_found_by_any_work_in_it(ranker: Ranker) -> None:
    alone = by_id(ranker, [OfferLine("wash", "Industriële wasserij voor linnen en luiers")])
    story = OfferLine("story", STORY)
    assert by_id(ranker, [story])["story"] >= alone["wash"] - 1e-3
    index = ranker.index([*(OfferLine(i, t) for i, t in LINES), story])
    assert len(index.texts) == len(LINES) + 1 + 4
    assert index.texts[index.starts[-1]].startswith("Ons bedrijf")
    assert ranker.rank(NEED, index).score.shape == (len(LINES) + 1,)


def test_stored_vectors_rank_as_fresh_ones(ranker: Ranker) -> None:
    offers = [OfferLine("story", STORY), *(OfferLine(id_, text) for id_, text in LINES)]
    stored = ranker.encode_offers([offer.text for offer in offers])
    fresh = ranker.rank(NEED, ranker.index(offers)).score
    assert ranker.rank(NEED, ranker.index(offers, stored)).score == pytest.approx(fresh, abs=1e-4)


def test_no_offers_give_an_empty_ranking(ranker: Ranker) -> None:
    ranking = ranker.rank(NEED, ranker.index([]))
    assert ranking.score.shape == (0,)
    assert ranking.best_by_company() == {}


def test_the_sentence_that_carried_a_long_offer_is_explained(ranker: Ranker) -> None:
    found = explain(ranker, "luiers wassen", STORY)
    words = {word for word, _ in found.offer_words}
    assert "luiers" in words
    assert "koekjes" not in words
