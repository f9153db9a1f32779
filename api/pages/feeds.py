"""What programs fetch without signing in: a company's leads as a feed, behind a secret link."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from api.services import feeds
from api.web import PageDesk

router = APIRouter()
PRIVATE = {"Cache-Control": "private, max-age=300", "X-Robots-Tag": "noindex"}


@router.get("/feed/{token}.json")
def json_feed(desk: PageDesk, token: str) -> Response:
    """A company's leads as JSON Feed; the token is the secret."""
    return JSONResponse(
        feeds.json_feed(desk, token), media_type="application/feed+json", headers=PRIVATE
    )


@router.get("/feed/{token}.atom")
def atom(desk: PageDesk, token: str) -> Response:
    """A company's leads as Atom; the token is the secret."""
    return Response(feeds.atom(desk, token), media_type="application/atom+xml", headers=PRIVATE)
