"""Cutting a text into pieces of work: borrowed things, what is not asked, what is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.ranking import Ranker
from matcher.steps import is_declined, split_pieces


def wholes(text: str) -> list[str]:
    return [piece.whole for piece in split_pieces(text)]


def test_greetings_are_no_pieces() -> None:
    found = wholes(
        "Beste,\nWij zoeken iemand om was op te halen en te strijken.\nMet vriendelijke groet"
    )
    assert found == ["Wij zoeken iemand om was op te halen", "was strijken"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kapotte koffiemachines: ophalen, herstellen?", "Kapotte koffiemachines herstellen"),
        ("Wij hebben oude fietsen. Kan iemand ze herstellen?", "fietsen herstellen"),
        ("Oude smartphones: inzamelen, data wissen en testen", "smartphones testen"),
        ("vuile luiers ophalen en proper terugbrengen", "vuile luiers terugbrengen"),
        ("We need someone to collect, wash and fold our hotel linen", "wash hotel linen"),
        ("Des vélos abandonnés : il faut les trier et les réparer", "réparer vélos abandonnés"),
    ],
)
def test_a_verb_alone_borrows_its_thing(text: str, expected: str) -> None:
    assert expected in wholes(text)


@pytest.mark.parametrize(
    "text",
    [
        "Het transport doen we zelf",
        "de levering regelen wij zelf",
        "wij doen het snoeien van de hagen zelf",
        "wassen is niet nodig",
        "u hoeft ze niet te wassen",
        "le transport n'est pas nécessaire",
        "we arrange the transport ourselves",
    ],
)
def test_declined(text: str) -> None:
    assert is_declined(text)


@pytest.mark.parametrize(
    "text",
    [
        "nu doen we dat zelf maar het lukt niet meer",
        "vandaag wassen wij zelf",
        "we kunnen het niet zelf",
        "niet alleen wassen",
        "we currently do it ourselves",
        "wie kan onze lakens wassen?",
        "ze mogen zelf kiezen",
    ],
)
def test_not_declined(text: str) -> None:
    assert not is_declined(text)


def test_declined_work_does_not_carry_the_match(ranker: Ranker) -> None:
    reading = ranker.read(
        "Het gras maaien doen we zelf, maar onze vuile lakens moeten gewassen worden."
    )
    assert [step.activities[0][0] for step in reading.steps] == ["textiel-wassen"]
    assert "groenonderhoud" in {step.activities[0][0] for step in reading.unasked}


def test_each_step_of_a_list_is_read(ranker: Ranker) -> None:
    reading = ranker.read("Onze crèche heeft 3.000 luiers per week: ophalen, wassen, plooien.")
    found = [step.activities[0][0] for step in reading.steps]
    assert {"ophalen-leveren", "textiel-wassen", "strijken-plooien"} <= set(found)


def test_a_story_gives_few_steps(ranker: Ranker) -> None:
    reading = ranker.read(
        "Wij zijn een brouwerij in Lier met twaalf mensen. Mijn grootvader begon in een garage en "
        "bracht het bier met paard en kar naar de cafés. Vorig jaar hebben we een nieuwe zaal "
        "geschilderd en een feest gegeven. Waar we nu mee zitten zijn de lege flessen die "
        "terugkomen: die moeten gespoeld worden voor we ze opnieuw kunnen vullen. Het gaat om "
        "zesduizend stuks per week en onze eigen machine is te oud."
    )
    codes = [step.activities[0][0] for step in reading.steps]
    assert "verpakking-wassen" in codes
    assert len(codes) <= 3, "of eleven pieces"


def test_steps_a_person_wrote_leave_nothing_unasked(ranker: Ranker) -> None:
    assert ranker.read_steps("lakens wassen", [("lakens wassen", ())]).unasked == ()


@given(st.text(max_size=400))
def test_any_text_is_cut(text: str) -> None:
    found = split_pieces(text)
    assert len({piece.whole.lower() for piece in found}) <= len(found)
    assert all(piece.whole.strip() for piece in found)


def test_what_only_names_the_thing_is_no_step_beside_its_work(ranker: Ranker) -> None:
    assert [
        piece.lends for piece in split_pieces("Kapotte koffiemachines: ophalen, herstellen")
    ] == [
        True,
        False,
        False,
    ]
    reading = ranker.read("Onze crèche heeft 3.000 luiers per week: wassen en plooien.")
    assert [step.text for step in reading.steps] == ["luiers wassen", "luiers plooien"]


def test_a_compound_cut_short_stays_whole() -> None:
    assert wholes("Oude auto- en vliegtuigbanden verwerken") == [
        "Oude auto- en vliegtuigbanden verwerken"
    ]


def test_things_named_together_stay_together() -> None:
    assert wholes("Wij zoeken iemand die onze lakens en handdoeken wast en strijkt") == [
        "Wij zoeken iemand die onze lakens en handdoeken wast",
        "lakens handdoeken strijkt",
    ]
