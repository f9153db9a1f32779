"""Notes in the case file of a need: read by the hub's coordinators, changed by who wrote them."""

from collections.abc import Sequence

from sqlalchemy import select

from api.errors import NotAllowed
from api.services import audit, authorisation, checks
from api.services.desk import Desk
from models import Note

MOST_CHARACTERS = 5000


def add(desk: Desk, need_id: str, text: str) -> Note:
    """Write a note in the case file of a need of one's hub.

    Raises NotFound or NotAllowed for others than the hub's coordinators, Invalid for an empty
    text.
    """
    need = authorisation.need_as_coordinator(desk, need_id)
    if desk.actor.person_id is None:
        raise NotAllowed("coordinators_only", "a note is written by a person")
    note = Note(
        need_id=need.id,
        hub_id=need.hub_id,
        author_id=desk.actor.person_id,
        text=checks.text(text, "text", least=1, most=MOST_CHARACTERS),
        created_at=desk.at,
    )
    desk.session.add(note)
    desk.session.flush()
    _tell(desk, "add_note", note)
    return note


def edit(desk: Desk, note_id: str, text: str) -> Note:
    """Change a note of one's own. Raises NotFound, NotAllowed, or Invalid for an empty text."""
    note = authorisation.note_of_own(desk, note_id)
    words = checks.text(text, "text", least=1, most=MOST_CHARACTERS)
    if words != note.text:
        note.text, note.edited_at = words, desk.at
        _tell(desk, "edit_note", note)
    return note


def remove(desk: Desk, note_id: str) -> Note:
    """Take away a note of one's own; it can be put back for a month."""
    note = authorisation.note_of_own(desk, note_id)
    if note.removed_at is None:
        note.removed_at = desk.at
        _tell(desk, "remove_note", note)
    return note


def restore(desk: Desk, note_id: str) -> Note:
    """Put back a note of one's own that was taken away."""
    note = authorisation.note_of_own(desk, note_id)
    if note.removed_at is not None:
        note.removed_at = None
        _tell(desk, "restore_note", note)
    return note


def of_need(desk: Desk, need_id: str) -> Sequence[Note]:
    """The notes on a need that were written at the caller's hubs, oldest first.

    Those taken away come too, for their author alone: only they may put them back.
    Raises NotFound or NotAllowed for others than the hub's coordinators.
    """
    authorisation.need_as_coordinator(desk, need_id)
    return desk.session.scalars(
        select(Note)
        .where(
            Note.need_id == need_id,
            Note.hub_id.in_(desk.actor.hubs),
            Note.removed_at.is_(None) | (Note.author_id == desk.actor.person_id),
        )
        .order_by(Note.id)
    ).all()


def _tell(desk: Desk, action: str, note: Note) -> None:
    audit.record(desk, action, "need", note.need_id, note.hub_id, note_id=note.id)
