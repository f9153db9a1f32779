"""A file of somebody else, given so that it runs nothing, loads nothing and is read by no site."""

from urllib.parse import quote

from fastapi import Response

from models import Attachment
from models.attachment import AttachmentKind

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
MEDIA_TYPES = {AttachmentKind.PHOTO: "image/jpeg", AttachmentKind.PDF: "application/pdf"}


def file_response(found: Attachment, *, small: bool = False) -> Response:
    """The bytes of a file, named, as what they are; a PDF only ever as a download."""
    inline = found.kind is AttachmentKind.PHOTO
    content = found.small if small and found.small else found.content
    how = f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(found.name)}"
    return Response(
        content,
        media_type=MEDIA_TYPES[found.kind],
        headers=HEADERS | {"Content-Disposition": how},
    )
