"""Idempotency-Key: a POST that is sent again does its work once and answers the same.

The key, a hash of the request and the answer are written in the transaction of the deed itself,
so there is no moment at which one exists without the other. Only answers to deeds are kept: a
request that failed changed nothing and may be sent again with the same key.
"""

import hashlib
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from api.errors import Conflict, Invalid
from api.services.desk import Desk
from api.services.links import secret_hash
from api.web import TokenDesk
from models import IdempotentResponse

KEPT = timedelta(days=7)  # how long an answer can be asked again
REPLAYED = "Idempotent-Replay"
_PENDING = 0  # the status of a row whose request is still being worked on


class Replay(Exception):
    """The request was answered before; here is that answer."""

    def __init__(self, response: Response) -> None:
        super().__init__("answered before")
        self.response = response


class Once:
    """The answer of one POST: kept when the caller gave a key."""

    def __init__(self, row: IdempotentResponse | None) -> None:
        self._row = row

    def answer(self, body: BaseModel, status: int = 200) -> Response:
        """The body as a response, kept for repeats in the same transaction."""
        text = body.model_dump_json()
        if self._row is not None:
            self._row.status, self._row.body = status, text
        return _json(text, status)


async def _request_hash(request: Request) -> str:
    """What makes two requests the same: method, address, query and body."""
    head = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(head.encode() + await request.body()).hexdigest()


def get_once(
    request: Request,
    desk: TokenDesk,
    request_hash: Annotated[str, Depends(_request_hash)],
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="any text of your own; the same key does the work once",
            examples=["7f0c7d1e-need-41"],
        ),
    ] = None,
) -> Once:
    """Claim the key for this request, or answer as before.

    Raises Replay for a repeat, Invalid when the key was used for another request, Conflict when
    the same request is being worked on at this moment.
    """
    if idempotency_key is None:
        return Once(None)
    caller = secret_hash(request.headers.get("authorization", "").partition(" ")[2].strip())[:40]
    _forget_old(desk, caller)
    mine = (IdempotentResponse.caller == caller, IdempotentResponse.key == idempotency_key)
    kept = desk.session.scalar(select(IdempotentResponse).where(*mine))
    if kept is not None:
        if kept.request_hash != request_hash:
            raise Invalid(
                "key_reused",
                "Idempotency-Key: this key was used for another request; make a new one",
                field="Idempotency-Key",
            )
        raise Replay(_json(kept.body, kept.status, replayed=True))
    row = IdempotentResponse(
        caller=caller,
        key=idempotency_key,
        request_hash=request_hash,
        status=_PENDING,
        body="",
        created_at=desk.at,
    )
    try:
        # On PostgreSQL this waits until a rival with the same key commits or gives up.
        with desk.session.begin_nested():
            desk.session.add(row)
    except IntegrityError:
        raise Conflict(
            "same_key_at_once",
            "this request was sent twice at the same time and the other one was carried out; "
            "send it again to get its answer",
        ) from None
    return Once(row)


OnceDep = Annotated[Once, Depends(get_once)]


def _forget_old(desk: Desk, caller: str) -> None:
    desk.session.execute(
        delete(IdempotentResponse).where(
            IdempotentResponse.caller == caller, IdempotentResponse.created_at < desk.at - KEPT
        )
    )


def _json(text: str, status: int, *, replayed: bool = False) -> Response:
    headers = {REPLAYED: "true"} if replayed else None
    return Response(text, status, headers, media_type="application/json")


class IdempotentRoute(APIRoute):
    """A route whose dependencies may answer with what was answered before."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except Replay as again:
                return again.response

        return answered
