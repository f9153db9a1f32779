"""Security headers on every response: nothing from elsewhere, no inline script, no framing."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EMBEDDABLE = "/embed/"  # the intake form that municipalities may show in their own pages
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-src 'self'; frame-ancestors {frames}"
)


class SecurityHeaders:
    """ASGI middleware; `secure` adds HSTS, for a site served over HTTPS."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app, self.secure = app, secure

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
                    POLICY.format(frames="*" if embeddable else "'none'"),
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
