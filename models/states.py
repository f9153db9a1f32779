"""The states of everything that has them, and every transition that is allowed.

The only place where transitions are written; the tables refuse all others, so that
neither API, page, import nor worker can make one. Drawn in models/README.md.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import TypeVar


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


class Outcome(StrEnum):
    """How a lead ended; none while it is open."""

    CHOSEN = "chosen"
    NOT_CHOSEN = "not_chosen"
    NONE_CHOSEN = "none_chosen"
    WITHDRAWN = "withdrawn"


class MessageState(StrEnum):
    DUE = "due"  # to be handed over at or after due_at
    SENT = "sent"  # the mail server took it
    FAILED = "failed"  # refused for good, or given up after the last try
    BOUNCED = "bounced"  # taken, later returned
    CANCELLED = "cancelled"


class DeliveryState(StrEnum):
    """Of an event on its way to a webhook."""

    DUE = "due"
    SENT = "sent"
    FAILED = "failed"


class OptionState(StrEnum):
    """Of a moment that is proposed to meet."""

    OPEN = "open"  # the other side may take it
    TAKEN = "taken"  # it became the meeting
    DECLINED = "declined"  # none of these suits the other side
    REPLACED = "replaced"  # newer ones, another one taken, or the meeting called off


N, C, L = NeedState, CollaborationState, Outcome
M, D, P = MessageState, DeliveryState, OptionState

NEED_TRANSITIONS: dict[NeedState, frozenset[NeedState]] = {
    N.DRAFT: frozenset({N.SUBMITTED, N.WITHDRAWN}),
    N.SUBMITTED: frozenset({N.OPEN, N.REFERRED, N.NO_FIT, N.WITHDRAWN}),
    N.OPEN: frozenset({N.DECIDING, N.CHOSEN, N.NONE_CHOSEN, N.RETURNED, N.WITHDRAWN}),
    N.DECIDING: frozenset({N.CHOSEN, N.NONE_CHOSEN, N.WITHDRAWN}),
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


# A lead that is open has no outcome; a choice that is reopened may be made otherwise.
LEAD_TRANSITIONS: dict[Outcome, frozenset[Outcome]] = {
    L.CHOSEN: frozenset({L.NOT_CHOSEN, L.NONE_CHOSEN, L.WITHDRAWN}),
    L.NOT_CHOSEN: frozenset({L.CHOSEN, L.NONE_CHOSEN, L.WITHDRAWN}),
    L.NONE_CHOSEN: frozenset({L.CHOSEN, L.NOT_CHOSEN, L.WITHDRAWN}),
    L.WITHDRAWN: frozenset(),
}

# A mail that was taken back or given up may have been taken by the server after all.
MESSAGE_TRANSITIONS: dict[MessageState, frozenset[MessageState]] = {
    M.DUE: frozenset({M.SENT, M.FAILED, M.BOUNCED, M.CANCELLED}),
    M.SENT: frozenset({M.BOUNCED}),
    M.FAILED: frozenset({M.SENT, M.BOUNCED}),
    M.CANCELLED: frozenset({M.SENT, M.BOUNCED}),
    M.BOUNCED: frozenset(),
}

DELIVERY_TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    D.DUE: frozenset({D.SENT, D.FAILED}),
    D.SENT: frozenset({D.DUE}),
    D.FAILED: frozenset({D.DUE}),
}

OPTION_TRANSITIONS: dict[OptionState, frozenset[OptionState]] = {
    P.OPEN: frozenset({P.TAKEN, P.DECLINED, P.REPLACED}),
    P.TAKEN: frozenset(),
    P.DECLINED: frozenset(),
    P.REPLACED: frozenset(),
}

State = TypeVar("State", bound=StrEnum)


def check(
    noun: str,
    present: State | None,
    wanted: State,
    follows: Mapping[State, Collection[State]],
    starts: Collection[State],
) -> State:
    """The wanted state, when it may follow the present one (None: of something new).

    Raises IllegalTransition.
    """
    if present is None:
        if wanted not in starts:
            raise IllegalTransition(noun, next(iter(starts)), wanted)
    elif wanted != present and wanted not in follows[present]:
        raise IllegalTransition(noun, present, wanted)
    return wanted


def check_need(present: NeedState | None, wanted: NeedState) -> NeedState:
    """Refuse a transition of a need that is not written above.

    Raises IllegalTransition. A new need may start as draft or submitted.
    """
    return check("need", present, wanted, NEED_TRANSITIONS, (N.DRAFT, N.SUBMITTED))


def check_collaboration(
    present: CollaborationState | None, wanted: CollaborationState
) -> CollaborationState:
    """Refuse a transition of a collaboration that is not written above.

    Raises IllegalTransition. A new collaboration starts as a talk.
    """
    return check("collaboration", present, wanted, COLLABORATION_TRANSITIONS, (C.TALK,))


def check_lead(present: Outcome | None, wanted: Outcome) -> Outcome:
    """Refuse an outcome that cannot follow. Raises IllegalTransition."""
    return check("lead", present, wanted, LEAD_TRANSITIONS, tuple(Outcome))


def check_message(present: MessageState | None, wanted: MessageState) -> MessageState:
    """Refuse a transition of a mail that is not written above. Raises IllegalTransition."""
    return check("message", present, wanted, MESSAGE_TRANSITIONS, (M.DUE,))


def check_delivery(present: DeliveryState | None, wanted: DeliveryState) -> DeliveryState:
    """Refuse a transition of a webhook's event. Raises IllegalTransition."""
    return check("webhook delivery", present, wanted, DELIVERY_TRANSITIONS, (D.DUE,))


def check_option(present: OptionState | None, wanted: OptionState) -> OptionState:
    """Refuse a transition of a proposed moment. Raises IllegalTransition."""
    return check("meeting option", present, wanted, OPTION_TRANSITIONS, (P.OPEN,))
