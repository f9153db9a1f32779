"""Attachments: photos and PDFs of a need, checked by their bytes, the same for all who get it."""

import hmac
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from api.errors import Conflict, Invalid, NotFound
from api.i18n import tr
from api.services import audit, authorisation, corrections, leads, links
from api.services.desk import Desk
from api.services.uploads import Upload, checked
from models import Attachment, Broadcast, Lead, Need
from models.states import NeedState

MOST_FILES = 5  # with one need
MOST_OF_FIRM = 100_000_000  # bytes kept for all needs of one firm
MOST_UNCONFIRMED = 500_000_000  # bytes kept for people whose address is not proven yet
CHANGEABLE = (NeedState.DRAFT, NeedState.SUBMITTED, NeedState.RETURNED, NeedState.OPEN)

_ORDER = (Attachment.created_at, Attachment.name, Attachment.id)  # those sent together by name


def hold(desk: Desk, upload: Upload, before: Sequence[Attachment] = ()) -> Attachment:
    """Keep a file for a form that was not sent yet, beside those held before.

    Raises Invalid when it is refused or one too many.
    """
    _require_room(len(before) + 1)
    attachment = checked(desk, upload)
    _require_space(desk, attachment.size, None)
    desk.session.add(attachment)
    desk.session.flush()
    audit.record(desk, "hold", "attachment", attachment.id)
    return attachment


def token(desk: Desk, attachment: Attachment) -> str:
    """What a form carries of a held file: whoever has it may send it along."""
    return f"{attachment.id}.{links.sign(desk, 'attachment', attachment.id)}"


def held(desk: Desk, tokens: Sequence[str]) -> list[Attachment]:
    """The files held for a form; forged tokens and files that are gone are left out."""
    ids = []
    for each in tokens[:MOST_FILES]:
        attachment_id, _, signature = each.partition(".")
        expected = links.sign(desk, "attachment", attachment_id)
        if hmac.compare_digest(signature.encode(), expected.encode()):
            ids.append(attachment_id)
    return list(
        desk.session.scalars(
            select(Attachment)
            .where(Attachment.id.in_(ids), Attachment.need_id.is_(None))
            .order_by(*_ORDER)
        )
    )


def drop(desk: Desk, found: Sequence[Attachment]) -> None:
    """Forget files that were held for a form."""
    for each in found:
        desk.session.delete(each)
        audit.record(desk, "drop", "attachment", each.id)


def take(desk: Desk, need: Need, found: Sequence[Attachment]) -> None:
    """The held files go with the need that was sent."""
    for each in found:
        each.need_id = need.id
    if found:
        _record(desk, "attach", need, found)


def copy(desk: Desk, need: Need, from_need_id: str, ids: Sequence[str]) -> None:
    """Files of an earlier need go along with a new one of the same people.

    Raises NotFound for a need or file that is not theirs, Invalid when there is no room.
    """
    if not ids:
        return
    originals = [find(desk, from_need_id, each) for each in dict.fromkeys(ids)]
    _require_room(len(of_need(desk, need.id)) + len(originals))
    _require_space(desk, sum(each.size for each in originals), need)
    facts = ("kind", "name", "size", "hash", "width", "height", "content", "small")
    fresh = [
        Attachment(
            need_id=need.id,
            added_by=desk.actor.name,
            created_at=desk.at,
            **{fact: getattr(each, fact) for fact in facts},
        )
        for each in originals
    ]
    desk.session.add_all(fresh)
    desk.session.flush()
    _record(desk, "attach", need, fresh)


def add(desk: Desk, need_id: str, uploads: Sequence[Upload]) -> list[Attachment]:
    """Put files with a need; once it is open, as a correction to all recipients.

    Raises Invalid for a file that is refused, Conflict when the need is past changing.
    """
    need = leads.hold(desk, authorisation.need(desk, need_id).id)
    _require_changeable(need)
    if not uploads:
        raise Invalid("no_file", "files: choose a photo or a PDF first", field="files")
    there = of_need(desk, need.id)
    _require_room(len(there) + len(uploads))
    fresh = [checked(desk, each) for each in uploads]
    _require_space(desk, sum(each.size for each in fresh), need)
    for each in fresh:
        each.need_id = need.id
    desk.session.add_all(fresh)
    desk.session.flush()
    _record(desk, "attach", need, fresh)
    names = ", ".join(each.name for each in fresh)
    _tell(desk, need, tr(need.language, "Toegevoegd bij de vraag: %(names)s.", names=names))
    return fresh


def remove(desk: Desk, need_id: str, attachment_id: str) -> None:
    """Take a file away; once the need is open, as a correction to all recipients.

    Raises NotFound, or Conflict when the need is past changing.
    """
    need = leads.hold(desk, authorisation.need(desk, need_id).id)
    _require_changeable(need)
    found = find(desk, need.id, attachment_id)
    desk.session.delete(found)
    desk.session.flush()
    _record(desk, "detach", need, [found])
    _tell(desk, need, tr(need.language, "Weggehaald bij de vraag: %(names)s.", names=found.name))


def _tell(desk: Desk, need: Need, text: str) -> None:
    """After release nothing changes silently: all recipients hear the same, at once."""
    if need.state is NeedState.OPEN:
        changes = {"attachments": manifest(of_need(desk, need.id))}
        corrections.correct(desk, need.id, text, changes=changes)


def of_need(desk: Desk, need_id: str) -> list[Attachment]:
    """The files of a need, oldest first, without their bytes. Whoever asks has been let in."""
    return list(
        desk.session.scalars(
            select(Attachment).where(Attachment.need_id == need_id).order_by(*_ORDER)
        )
    )


def find(desk: Desk, need_id: str, attachment_id: str) -> Attachment:
    """One file of a need, for its firm and its hub. Raises NotFound for others."""
    need = authorisation.need(desk, need_id)
    found = desk.session.get(Attachment, attachment_id)
    if found is None or found.need_id != need.id:
        raise NotFound("attachment_not_found", "there is no such file with this need")
    return found


def of_lead(desk: Desk, lead: Lead) -> list[Attachment]:
    """The files that were sent with a lead and still count: the same for every recipient.

    Whoever asks has been let in to the lead, by its link or as its company or hub; until its
    release there is nothing for companies.
    """
    broadcast = desk.session.get_one(Broadcast, lead.broadcast_id)
    if broadcast.released_at > desk.at and not authorisation.coordinates(
        desk.actor, broadcast.hub_id
    ):
        return []
    content = corrections.present_content(desk, broadcast)
    sent = {each["id"] for each in content.get("attachments", ())}
    return [each for each in of_need(desk, lead.need_id) if each.id in sent]


def find_of_lead(desk: Desk, lead: Lead, attachment_id: str) -> Attachment:
    """One file that was sent with a lead. Raises NotFound for any other."""
    for each in of_lead(desk, lead):
        if each.id == attachment_id:
            return each
    raise NotFound("attachment_not_found", "there is no such file with this lead")


def manifest(found: Sequence[Attachment]) -> list[dict[str, Any]]:
    """What a broadcast's content says of its files: the hash proves that all get the same."""
    return [
        {
            "id": each.id,
            "kind": each.kind.value,
            "name": each.name,
            "size": each.size,
            "hash": each.hash,
        }
        for each in found
    ]


def _record(desk: Desk, action: str, need: Need, found: Sequence[Attachment]) -> None:
    ids = [each.id for each in found]
    audit.record(desk, action, "need", need.id, need.hub_id, attachments=ids)


def _require_changeable(need: Need) -> None:
    if need.state not in CHANGEABLE:
        raise Conflict(
            "wrong_state",
            f"the need is {need.state.value}; its files can no longer change",
            state=need.state.value,
        )


def _require_room(count: int) -> None:
    if count > MOST_FILES:
        raise Invalid(
            "too_many_files", f"files: at most {MOST_FILES}", field="files", most=MOST_FILES
        )


def _require_space(desk: Desk, size: int, need: Need | None) -> None:
    """Nobody fills the disk: a firm has its share, and so have all unproven addresses together."""
    kept = select(func.coalesce(func.sum(Attachment.size), 0)).outerjoin(Need)
    if need is None or need.state is NeedState.DRAFT:
        kept = kept.where(Attachment.need_id.is_(None) | (Need.state == NeedState.DRAFT))
        most = MOST_UNCONFIRMED
    else:
        kept = kept.where(Need.firm_id == need.firm_id)
        most = MOST_OF_FIRM
    if desk.session.scalars(kept).one() + size > most:
        raise Invalid(
            "no_space",
            "files: too much is stored already; remove older files, or send the need without",
            field="files",
        )
