"""`demo`, `serve` and `worker`: what runs."""

import secrets
import signal
import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from api import logs
from api.cli import app, clear_errors, err, fail, out, progress_bar
from api.settings import Settings, home, load_settings

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")]


@app.command()
def demo(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    folder: Annotated[Path | None, typer.Option(help="Where the demo keeps its database.")] = None,
    fresh: Annotated[bool, typer.Option(help="Begin anew, without what was done before.")] = False,
) -> None:
    """Start a demo hub: fictional network, embedded database, a mailbox that takes all mail."""
    with clear_errors():
        from api.mail.receiver import DemoReceiver
        from api.runtime import Runtime
        from api.services.demo import lay_demo
        from models import schema

        place = folder or home() / "demo"
        place.mkdir(parents=True, exist_ok=True)
        database = place / "demo.db"
        if fresh:
            for leftover in (*place.glob("demo.db*"), *(place / "mail").glob("*.eml")):
                leftover.unlink()
        port = _free_port(host, port)
        receiver = DemoReceiver(place / "mail")
        receiver.start()
        settings = load_settings(
            demo=True,
            database_url=f"sqlite:///{database}",
            secret_key=_kept_secret(place / "secret"),
            base_url=f"http://{host}:{port}",
            smtp_host=receiver.host,
            smtp_port=receiver.port,
            smtp_security="none",
            log_level="warning",
        )
        runtime = Runtime.start(settings)
        schema.upgrade(runtime.engine)
        with progress_bar("Demo network") as step:
            lay_demo(runtime, step)
        out.print(f"Maatmatch demo: {settings.base_url}/demo")
        out.print(f"Mail that was sent: {settings.base_url}/demo/mail")
        out.print("Stop with Ctrl+C.")
        try:
            _serve(runtime, host, port, receiver)
        finally:
            receiver.stop()


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the pages and the API, configured by MAATMATCH_... in the environment."""
    with clear_errors():
        runtime = _ready_runtime(load_settings())
        port = _free_port(host, port)
        out.print(f"Maatmatch: http://{host}:{port}")
        _serve(runtime, host, port)


@app.command()
def worker() -> None:
    """Deliver mail and keep deadlines as a process of its own; start as many as needed."""
    with clear_errors():
        from api.worker import Worker

        settings = load_settings()
        logs.configure(settings.log_level)
        runtime = _ready_runtime(settings)
        running = Worker(runtime)

        def stop(*_: Any) -> None:
            running.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        out.print("Worker started; stop with Ctrl+C.")
        running.run()
        runtime.close()


def _ready_runtime(settings: Settings) -> Any:
    """A runtime whose database has all migrations; refuses one that lacks them, and the demo's
    open doors on a service that people use."""
    from api.runtime import Runtime
    from models import schema

    if settings.demo:
        raise fail(
            "MAATMATCH_DEMO lets anybody sign in as anyone; unset it, or run: maatmatch demo"
        )
    runtime = Runtime.start(settings)
    if schema.present_revision(runtime.engine) != schema.newest_revision():
        raise fail("the database lacks tables of this version; run: maatmatch init")
    return runtime


def _serve(runtime: Any, host: str, port: int, receiver: Any = None) -> None:
    import uvicorn

    from api.app import create_app

    logs.configure(runtime.settings.log_level)
    application = create_app(runtime)
    application.state.receiver = receiver
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # whose address counts is said by MAATMATCH_TRUSTED_PROXY alone
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    try:
        uvicorn.Server(config).run()
    finally:
        runtime.close()


def _free_port(host: str, port: int) -> int:
    """The port if it is free. For 8000, the usual one, the next free port will do."""
    for candidate in [port] if port != 8000 else range(8000, 8021):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            if found != port and port:
                err.print(f"Port {port} is taken; using {found}.")
            return found
    raise fail(f"port {port} on {host} is taken; choose another with --port")


def _kept_secret(path: Path) -> str:
    """The secret of a demo, made at its first start so that its links go on working."""
    if not path.exists():
        path.write_text(secrets.token_urlsafe(48), encoding="utf-8")
        path.chmod(0o600)
    return path.read_text(encoding="utf-8").strip()
