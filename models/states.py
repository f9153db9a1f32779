"""The states of needs and collaborations, and every transition that is allowed.

The only place where transitions are written; the tables refuse all others, so that
neither API, page nor import can make one. Drawn in models/README.md.
"""

from enum import StrEnum


class IllegalTransition(ValueError):
    """A state may not follow from the present one."""

    def __init__(self, noun: str, present: StrEnum, wanted: StrEnum) -> None:
        super().__init__(f"a {noun} that is {present} cannot become {wanted}")
        self.noun, self.present, self.wanted = noun, present, wanted


class NeedState(StrEnum):
    DRAFT = "draft"  # written, mail address not yet proven
    SUBMITTED = "submitted"  # in the coordinator's intake queue
    OPEN = "open"  # broadcast: companies can answer
    DECIDING = "deciding"  # deadline passed, the firm chooses among the interested
    CHOSEN = "chosen"  # the firm chose one or more
    NONE_CHOSEN = "none_chosen"  # the firm chose none
    RETURNED = "returned"  # nobody was interested: back to the coordinator
    REFERRED = "referred"  # handed to another hub, partner or expert
    NO_FIT = "no_fit"  # no work in it for a maatwerkbedrijf
    WITHDRAWN = "withdrawn"  # taken back by the firm


class CollaborationState(StrEnum):
    TALK = "talk"
    TRIAL = "trial"
    RUNNING = "running"
    ENDED = "ended"


N, C = NeedState, CollaborationState

NEED_TRANSITIONS: dict[NeedState, frozenset[NeedState]] = {
    N.DRAFT: frozenset({N.SUBMITTED, N.WITHDRAWN}),
    N.SUBMITTED: frozenset({N.OPEN, N.REFERRED, N.NO_FIT, N.WITHDRAWN}),
    N.OPEN: frozenset({N.DECIDING, N.CHOSEN, N.NONE_CHOSEN, N.RETURNED, N.WITHDRAWN}),
    N.DECIDING: frozenset({N.OPEN, N.CHOSEN, N.NONE_CHOSEN, N.WITHDRAWN}),
    N.CHOSEN: frozenset({N.DECIDING}),
    N.NONE_CHOSEN: frozenset({N.DECIDING, N.SUBMITTED}),
    N.RETURNED: frozenset({N.SUBMITTED, N.OPEN, N.REFERRED, N.NO_FIT, N.WITHDRAWN}),
    N.REFERRED: frozenset({N.SUBMITTED}),
    N.NO_FIT: frozenset({N.SUBMITTED}),
    N.WITHDRAWN: frozenset({N.SUBMITTED}),
}

COLLABORATION_TRANSITIONS: dict[CollaborationState, frozenset[CollaborationState]] = {
    C.TALK: frozenset({C.TRIAL, C.RUNNING, C.ENDED}),
    C.TRIAL: frozenset({C.RUNNING, C.ENDED}),
    C.RUNNING: frozenset({C.ENDED}),
    C.ENDED: frozenset({C.RUNNING}),
}


def check_need(present: NeedState | None, wanted: NeedState) -> None:
    """Refuse a transition of a need that is not written above.

    Raises IllegalTransition. A new need may start as draft or submitted.
    """
    if present is None:
        if wanted not in (N.DRAFT, N.SUBMITTED):
            raise IllegalTransition("need", N.DRAFT, wanted)
    elif wanted != present and wanted not in NEED_TRANSITIONS[present]:
        raise IllegalTransition("need", present, wanted)


def check_collaboration(present: CollaborationState | None, wanted: CollaborationState) -> None:
    """Refuse a transition of a collaboration that is not written above.

    Raises IllegalTransition. A new collaboration starts as a talk.
    """
    if present is None:
        if wanted is not C.TALK:
            raise IllegalTransition("collaboration", C.TALK, wanted)
    elif wanted != present and wanted not in COLLABORATION_TRANSITIONS[present]:
        raise IllegalTransition("collaboration", present, wanted)
