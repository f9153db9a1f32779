"""Only written transitions happen, and the tables refuse all others."""

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import Base, Collaboration, Lead, MeetingOption, Message, Need, WebhookDelivery, states
from models.states import (
    COLLABORATION_TRANSITIONS,
    DELIVERY_TRANSITIONS,
    LEAD_TRANSITIONS,
    MESSAGE_TRANSITIONS,
    NEED_TRANSITIONS,
    OPTION_TRANSITIONS,
    CollaborationState,
    DeliveryState,
    IllegalTransition,
    MessageState,
    NeedState,
    OptionState,
    Outcome,
    check_need,
)

# In the order in which models/README.md draws them: table, column, transitions, beginnings.
MACHINES: list[tuple[type[Base], str, Any, Any]] = [
    (Need, "state", NEED_TRANSITIONS, (NeedState.DRAFT, NeedState.SUBMITTED)),
    (Lead, "outcome", LEAD_TRANSITIONS, tuple(Outcome)),
    (Message, "state", MESSAGE_TRANSITIONS, (MessageState.DUE,)),
    (WebhookDelivery, "state", DELIVERY_TRANSITIONS, (DeliveryState.DUE,)),
    (MeetingOption, "state", OPTION_TRANSITIONS, (OptionState.OPEN,)),
    (Collaboration, "state", COLLABORATION_TRANSITIONS, (CollaborationState.TALK,)),
]


@pytest.mark.parametrize(("table", "column", "follows", "starts"), MACHINES)
def test_every_table_takes_what_is_written_and_refuses_all_else(
    table: type[Base], column: str, follows: Any, starts: Any
) -> None:
    states = list(follows)
    assert set(states) == set(type(states[0])), "every state has its line"
    for first in states:
        row = table()
        if first not in starts:
            with pytest.raises(IllegalTransition):
                setattr(row, column, first)
            continue
        setattr(row, column, first)
    for present, wanted in product(states, states):
        row = table()
        row.__dict__[column] = present  # as it comes from the database
        if wanted == present or wanted in follows[present]:
            setattr(row, column, wanted)
            assert getattr(row, column) == wanted
        else:
            with pytest.raises(IllegalTransition, match=f"{present} cannot become {wanted}"):
                setattr(row, column, wanted)
            assert getattr(row, column) == present
    with pytest.raises(ValueError, match="is not a valid"):
        setattr(table(), column, "whatever")


def test_the_drawings_are_true() -> None:
    text = (Path(states.__file__).parent / "README.md").read_text(encoding="utf-8")
    drawings = re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)
    assert len(drawings) == len(MACHINES)
    for drawing, (table, _, follows, starts) in zip(drawings, MACHINES, strict=True):
        drawn = set(re.findall(r"^\s*(\S+) --> (\w+)", drawing, re.MULTILINE))
        written = {(str(a), str(b)) for a, after in follows.items() for b in after}
        assert drawn == written | {("[*]", str(each)) for each in starts}, table.__name__


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
