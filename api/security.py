"""Security headers on every response: no inline script, no framing, and nothing from elsewhere
but the tiles of a map when they are configured."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EMBEDDABLE = "/embed/"  # the intake form that municipalities may show in their own pages
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src {pictures}; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-src 'self'; frame-ancestors {frames}"
)


class SecurityHeaders:
    """ASGI middleware; `secure` adds HSTS, for a site served over HTTPS.

    `tiles` is the one other site that pictures may come from, when a deployment chose one.
    """

    def __init__(self, app: ASGIApp, *, secure: bool, tiles: str = "") -> None:
        self.app, self.secure = app, secure
        self.pictures = f"'self' data: {tiles}".strip()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                embeddable = path.startswith(EMBEDDABLE)
                # A page with a policy of its own (the demo's view of a mail) keeps it.
                headers.setdefault(
                    "Content-Security-Policy",
                    POLICY.format(pictures=self.pictures, frames="*" if embeddable else "'none'"),
                )
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                if not embeddable:
                    headers.setdefault("X-Frame-Options", "DENY")
                if self.secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
                if "Cache-Control" not in headers and not path.startswith("/static"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, with_headers)
