"""Only written transitions happen, and the tables refuse all others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import Collaboration, Need
from models.states import (
    COLLABORATION_TRANSITIONS,
    NEED_TRANSITIONS,
    CollaborationState,
    IllegalTransition,
    NeedState,
    check_need,
)


@given(st.sampled_from(NeedState), st.sampled_from(NeedState))
def test_a_need_takes_only_written_transitions(present: NeedState, wanted: NeedState) -> None:
    allowed = wanted == present or wanted in NEED_TRANSITIONS[present]
    if allowed:
        check_need(present, wanted)
    else:
        with pytest.raises(IllegalTransition):
            check_need(present, wanted)


@given(st.lists(st.sampled_from(NeedState), max_size=8))
def test_the_table_never_holds_a_state_that_cannot_follow(path: list[NeedState]) -> None:
    need = Need()
    walked: NeedState | None = None
    for wanted in path:
        try:
            need.state = wanted
        except IllegalTransition:
            assert need.state == walked
            continue
        assert walked is None or wanted == walked or wanted in NEED_TRANSITIONS[walked]
        walked = wanted


def test_every_state_has_its_transitions_and_can_be_reached() -> None:
    assert set(NEED_TRANSITIONS) == set(NeedState)
    reached = {NeedState.DRAFT} | {each for to in NEED_TRANSITIONS.values() for each in to}
    assert reached == set(NeedState)
    assert set(COLLABORATION_TRANSITIONS) == set(CollaborationState)


def test_a_collaboration_starts_as_a_talk() -> None:
    with pytest.raises(IllegalTransition):
        Collaboration(state=CollaborationState.RUNNING)


def test_an_illegal_transition_says_what_is_and_what_was_wanted() -> None:
    with pytest.raises(IllegalTransition, match="a need that is draft cannot become open"):
        check_need(NeedState.DRAFT, NeedState.OPEN)
