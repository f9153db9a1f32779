"""Limits: how large a request may be, and how often one caller may try what can be abused."""

import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem, TooLarge, TooMany

Answer = Callable[[Request, Problem, dict[str, str] | None], Response]  # JSON or a page, by path
MOST_BYTES = 2_000_000  # a request body; imports come in below this
MOST_UPLOAD = 55_000_000  # where photos and PDFs come in: five of the largest, and a form
UPLOADS = re.compile(r"/needs/new|/embed/[^/]+|(/v1)?/needs/[^/]+/attachments")
CALLERS = 10_000  # how many callers are remembered
# What a path begins with -> (requests, seconds) per caller for POST.
RATES = {
    "/sign-in": (10, 600),
    "/needs/new": (30, 600),
    "/needs/": (60, 600),  # choosing, answering, adding files: nobody does it every ten seconds
    "/reading": (120, 60),
    "/embed": (30, 600),
    "/v1/match": (120, 60),
    "/search": (120, 60),
    "/l/": (120, 60),
}
# The same for GET, where an address makes the matcher read a text.
READ_RATES = {"/search": (120, 60), "/needs/new": (60, 60)}


class BodyLimit:
    """Refuses a body over the limit before it is read into memory."""

    def __init__(self, app: ASGIApp, *, answer: Answer) -> None:
        self.app, self.answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        most = MOST_UPLOAD if UPLOADS.fullmatch(scope["path"]) else MOST_BYTES
        if length.isdigit() and int(length) > most:
            refusal = self.answer(Request(scope), _too_large(int(length), most), None)
            await refusal(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                # Whoever reads the body turns every other error into "cannot be read".
                raise HTTPException(413, _too_large(received, most).detail)
            return message

        await self.app(scope, counted, send)


class RateLimit:
    """A fixed window per caller and path, kept in memory: one process, no broker."""

    def __init__(self, app: ASGIApp, *, trusted_proxy: bool, answer: Answer) -> None:
        self.app, self.trusted_proxy, self.answer = app, trusted_proxy, answer
        self._seen: OrderedDict[tuple[str, str, int], int] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (problem := self._over(scope)):
            retry = {"Retry-After": str(problem.values["seconds"])}
            await self.answer(Request(scope), problem, retry)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _over(self, scope: Scope) -> Problem | None:
        rates = RATES if scope["method"] == "POST" else READ_RATES
        for prefix, (most, seconds) in rates.items():
            if not scope["path"].startswith(prefix):
                continue
            key = (self._caller(scope), prefix, int(time.monotonic() // seconds))
            self._seen[key] = self._seen.pop(key, 0) + 1
            while len(self._seen) > CALLERS:
                self._seen.popitem(last=False)
            if self._seen[key] > most:
                return TooMany(
                    "too_many",
                    f"more than {most} times in {seconds // 60} minutes; wait a little",
                    seconds=seconds,
                )
        return None

    def _caller(self, scope: Scope) -> str:
        if self.trusted_proxy:
            # A proxy adds to the line it was given, or a line of its own below it: only what
            # comes last is its word, the rest may be the caller's.
            lines = Headers(scope=scope).getlist("x-forwarded-for")
            if lines and (last := lines[-1].rsplit(",", 1)[-1].strip()):
                return _household(last)
        client = scope.get("client")
        return _household(client[0]) if client else "unknown"


def _household(address: str) -> str:
    """The address, or the /64 of an IPv6 address: one subscriber has all of it to call from."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), 64), strict=False))


def _too_large(size: int, most: int) -> TooLarge:
    return TooLarge(
        "body_too_large", f"the request is {size:,} bytes; at most {most:,} are taken", most=most
    )
