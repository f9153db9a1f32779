"""Uploads: what was sent is looked at byte by byte, and made safe or refused."""

import hashlib
import re
from dataclasses import dataclass

from api.errors import Invalid
from api.services import pictures
from api.services.desk import Desk
from models import Attachment
from models.attachment import AttachmentKind

MOST_PHOTO = 10_000_000  # bytes as sent; what we keep of a photo is far less
MOST_PDF = 5_000_000
_UNWANTED = re.compile(r"[^\w .()+-]+")


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    name: str
    data: bytes


def checked(desk: Desk, upload: Upload) -> Attachment:
    """The file made safe and named, not yet stored. Raises Invalid for what is no photo or PDF.

    What it is, its bytes say: the name and the type a browser gives say nothing.
    """
    data, name = upload.data, _name(upload.name)
    if not data:
        raise Invalid("file_empty", f"{name}: this file is empty", field="files", name=name)
    attachment = Attachment(
        need_id=None,
        name=name,
        added_by=desk.actor.name,
        created_at=desk.at,
        width=None,
        height=None,
        small=None,
    )
    if data.startswith(b"%PDF-"):
        _limit(data, MOST_PDF, name)
        if b"%%EOF" not in data[-2048:]:
            raise Invalid("file_broken", f"{name}: it is not whole", field="files", name=name)
        attachment.kind, attachment.content = AttachmentKind.PDF, data
        attachment.name = _stem(name) + ".pdf"
    elif data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"RIFF")):
        _limit(data, MOST_PHOTO, name)
        try:
            picture = pictures.made_safe(data)
        except pictures.UnreadablePicture as error:
            raise Invalid(
                "file_broken", f"{name}: not readable as a picture", field="files", name=name
            ) from error
        attachment.kind, attachment.content = AttachmentKind.PHOTO, picture.content
        attachment.small = picture.small
        attachment.width, attachment.height = picture.width, picture.height
        attachment.name = _stem(name) + ".jpg"
    else:
        raise Invalid(
            "file_kind",
            f"{name}: send a photo (JPEG, PNG or WebP) or a PDF",
            field="files",
            name=name,
        )
    attachment.size = len(attachment.content)
    attachment.hash = hashlib.sha256(attachment.content).hexdigest()
    return attachment


def _limit(data: bytes, most: int, name: str) -> None:
    if len(data) > most:
        megabytes = most // 1_000_000
        raise Invalid(
            "file_too_large",
            f"{name}: at most {megabytes} MB",
            field="files",
            name=name,
            most=megabytes,
        )


def _name(given: str) -> str:
    """A file name without folders and odd characters, for people and for a download."""
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    return " ".join(_UNWANTED.sub(" ", last).split())[:90].strip(" .") or "bestand"


def _stem(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return stem if dot and len(ending) <= 5 and stem else name
