"""`init`, `import`, `vectors`, `verify`, `bounces` and `doctor`: keeping an installation."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli import app, clear_errors, err, fail, out, progress_bar
from api.settings import load_settings

imports = typer.Typer(
    name="import",
    help="Take in tables (CSV, XLSX, JSON lines): all rows or none.",
    no_args_is_help=True,
)
app.add_typer(imports)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and report; change nothing.")]


@app.command()
def init(
    coordinator: Annotated[str, typer.Option(help="Mail address of the first coordinator.")] = "",
    hub: Annotated[str, typer.Option(help="Short name of that coordinator's hub.")] = "",
) -> None:
    """Make or upgrade the tables, lay the twelve hubs, add a first coordinator."""
    with clear_errors():
        from api.runtime import Runtime
        from api.services import hubs, people
        from api.services.desk import IMPORT, Desk
        from api.services.network import lay_reference
        from models import schema

        if bool(coordinator) != bool(hub):
            raise fail("give --coordinator and --hub together")
        runtime = Runtime.start(load_settings())
        schema.upgrade(runtime.engine)
        with runtime.sessions.begin() as session:
            desk = Desk(session, runtime, IMPORT)
            new = lay_reference(desk)
            if coordinator:
                chosen = hubs.by_slug(desk, hub)
                person = people.find_or_add(desk, coordinator)
                people.add_role(desk, person, hub_id=chosen.id)
            names = [each.slug for each in hubs.all_hubs(desk)]
        out.print(f"Tables ready; {new} hubs added. Hubs: {', '.join(names)}")
        if coordinator:
            out.print(f"{coordinator} coordinates {hub}; sign in at {runtime.settings.base_url}")
        runtime.close()


@imports.command("companies")
def import_companies(file: File, dry_run: DryRun = False) -> None:
    """Maatwerkbedrijven: name, sites, and what else data/NOTES.md lists."""
    _import("companies", file, dry_run)


@imports.command("offers")
def import_offers(file: File, dry_run: DryRun = False) -> None:
    """Offer lines: company, text, where the work is done."""
    _import("offers", file, dry_run)


@imports.command("firms")
def import_firms(file: File, dry_run: DryRun = False) -> None:
    """Firms with their contact: name, email."""
    _import("firms", file, dry_run)


@imports.command("needs")
def import_needs(file: File, dry_run: DryRun = False) -> None:
    """Needs: text, postcode, and a firm or its name and contact."""
    _import("needs", file, dry_run)


def _import(noun: str, file: Path, dry_run: bool) -> None:
    with clear_errors():
        from api.cli.serving import _ready_runtime
        from api.services.desk import IMPORT, Desk
        from api.services.imports import import_table

        runtime = _ready_runtime(load_settings())
        with runtime.sessions() as session, progress_bar(f"Import {noun}") as step:
            desk = Desk(session, runtime, IMPORT)
            report = import_table(desk, noun, file.name, file.read_bytes(), step)
            if report.bad or dry_run:
                session.rollback()
            else:
                session.commit()
        runtime.close()
        if report.unread:
            err.print(f"Not read, because unknown: {', '.join(report.unread)}.")
        if report.bad:
            table = Table("line", "field", "what is wrong")
            for bad in report.bad:
                table.add_row(str(bad.number), bad.field, bad.why)
            out.print(table)
            raise fail(
                f"{len(report.bad)} of {report.rows} rows are wrong; nothing was imported. "
                "Mend them and import the file again"
            )
        done = "would be" if dry_run else "were"
        out.print(f"{report.rows} rows: {report.added} {done} added, {report.changed} changed.")


@app.command()
def vectors() -> None:
    """Encode offers that are new or were encoded by another model, with progress."""
    with clear_errors():
        from api.cli.serving import _ready_runtime
        from api.services import vectors as kept
        from api.services.desk import WORKER, Desk

        runtime = _ready_runtime(load_settings())
        with runtime.sessions.begin() as session, progress_bar("Encoding offers") as step:
            number = kept.refresh_vectors(Desk(session, runtime, WORKER), step)
        out.print(f"{number} offers encoded by {runtime.ranker.encoder.identity}.")
        runtime.close()


@app.command()
def verify(
    broadcast: Annotated[str, typer.Argument(help="Id, or a downloaded proof.")],
    earlier: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A proof you kept: is it continued?"),
    ] = None,
) -> None:
    """Recompute a broadcast's proof from its ledger and say what holds and what does not.

    Whoever may write in the database could rewrite a whole ledger, and it would agree with
    itself; with --earlier it must also agree with a proof that was downloaded before.
    """
    with clear_errors():
        from matcher.proof import verify as check

        path = Path(broadcast)
        document = _proof_file(path) if path.is_file() else _present_proof(broadcast)
        results = check(document, _proof_file(earlier) if earlier else None)
        table = Table("", "law", "what was found")
        for each in results:
            table.add_row("ok" if each.ok else "NOT", each.name, each.detail)
        out.print(table)
        if not all(each.ok for each in results):
            raise fail("the proof does not hold")


def _proof_file(path: Path) -> Any:
    import json

    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise fail(f"{path} is no downloaded proof: it holds no JSON") from None


def _present_proof(broadcast_id: str) -> dict[str, Any]:
    """What the configured database holds of a broadcast at this moment."""
    from api.cli.serving import _ready_runtime
    from api.services import proof
    from api.services.desk import WORKER, Desk
    from models import Broadcast

    runtime = _ready_runtime(load_settings())
    try:
        with runtime.sessions() as session:
            found = session.get(Broadcast, broadcast_id)
            if found is None:
                raise fail(f"there is no broadcast or file {broadcast_id}")
            return proof.proof(Desk(session, runtime, WORKER), found)
    finally:
        runtime.close()


@app.command()
def bounces() -> None:
    """Take in one returned mail from standard input (for a pipe from the mail server)."""
    with clear_errors():
        from api.cli.serving import _ready_runtime
        from api.mail import bounces as returned
        from api.services.desk import WORKER, Desk

        runtime = _ready_runtime(load_settings())
        with runtime.sessions.begin() as session:
            returned.take_in(Desk(session, runtime, WORKER), sys.stdin.buffer.read())
        runtime.close()


@app.command()
def doctor() -> None:
    """Check database, encoder, mail and clock, and say what to do about what is wrong."""
    from api.services.doctor import examine

    table = Table("", "what", "found", "what to do")
    findings = examine()
    for each in findings:
        table.add_row("ok" if each.ok else "NOT", each.what, each.found, each.to_do)
    out.print(table)
    if not all(each.ok for each in findings):
        raise typer.Exit(1)
