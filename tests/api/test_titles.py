"""Titles: short, without a greeting or who somebody is, cut at a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.services.titles import MOST, title_of


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Wie haalt onze lakens op?", "Wie haalt onze lakens op"),
        ("Hallo, wie haalt onze lakens op?", "Wie haalt onze lakens op"),
        ("Dag Mia,\n\nkunnen jullie onze tuin doen? Hij is groot.", "Kunnen jullie onze tuin doen"),
        ("Wij zijn een school. Elke week 30 tafels poetsen.", "Elke week 30 tafels poetsen"),
        (
            "Hallo, wij zijn een bakkerij in Lier en zoeken iemand die broodzakken plooit.",
            "Iemand die broodzakken plooit",
        ),
        ("Gezocht: demontage van 300 computers", "Demontage van 300 computers"),
        ("Nous cherchons quelqu'un pour laver nos draps.", "Quelqu'un pour laver nos draps"),
        ("Hi there! I'm Tom. We need boxes, e.g. of wood.", "We need boxes, e.g. of wood"),
        ("Dagelijks 200 maaltijden leveren", "Dagelijks 200 maaltijden leveren"),
        ("Goeiedag, wij zijn een school.", "Wij zijn een school"),
        ("", ""),
    ],
)
def test_the_first_words_that_say_something(text: str, title: str) -> None:
    assert title_of(text) == title


def test_a_long_sentence_is_cut_at_a_word() -> None:
    title = title_of("Lakens wassen, " * 20)
    assert len(title) <= MOST
    assert title.endswith(("wassen…", "Lakens…"))


@given(st.text(max_size=300))
def test_any_text_gives_a_short_line(text: str) -> None:
    title = title_of(text)
    assert len(title) <= MOST
    assert "\n" not in title
