"""A proof that somebody kept shows that the whole ledger was written anew, on both databases."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from api.cli import app
from api.runtime import Runtime
from api.services import ledger, proof
from api.services.desk import IMPORT, Desk
from matcher.neutrality import GENESIS
from models import Broadcast, LedgerEntry
from tests.api.test_proof import play, read_as, submit_and_approve
from tests.conftest import SECRET, World

runner = CliRunner()


@pytest.fixture
def kept(
    runtime: Runtime, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Path]:
    """Who kept a proof -> its file; the broadcast has ended since."""
    monkeypatch.setenv("MAATMATCH_SECRET_KEY", SECRET)
    monkeypatch.setenv("MAATMATCH_DATABASE_URL", runtime.settings.database_url)
    files = {}
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, IMPORT)
        broadcast = play(desk, world)
        for name, actor in (("hub", world.cato), ("firm", world.finn), ("company", world.mira)):
            files[name] = tmp_path / f"{broadcast.id}-{name}.json"
            files[name].write_text(json.dumps(read_as(desk, actor, broadcast)))
        ledger.append(desk, broadcast.id, "reopened")
    return files


def verify(runtime: Runtime, *arguments: str) -> Result:
    with runtime.sessions() as session:
        broadcast_id = session.scalars(select(Broadcast.id)).one()
    return runner.invoke(app, ["verify", broadcast_id, *arguments])


def rewrite(runtime: Runtime) -> None:
    """What somebody with rights on the database could do: another story, in a new chain."""
    with runtime.sessions.begin() as session:
        previous = GENESIS
        for entry in session.scalars(select(LedgerEntry).order_by(LedgerEntry.sequence)):
            if entry.event == "opened":
                entry.at += timedelta(minutes=20)
            entry.previous_hash = previous
            entry.hash = previous = ledger.entry_hash(
                previous, entry.sequence, entry.at, entry.event, entry.lead_id, entry.details
            )


@pytest.mark.parametrize("reader", ["hub", "firm", "company"])
def test_a_rewritten_ledger_shows_against_any_kept_proof(
    runtime: Runtime, kept: dict[str, Path], reader: str
) -> None:
    held = verify(runtime, "--earlier", str(kept[reader]))
    assert held.exit_code == 0, held.output
    assert "as in the earlier proof, 1 added since" in " ".join(held.output.split())
    rewrite(runtime)
    assert verify(runtime).exit_code == 0, "a rewritten chain agrees with itself"
    found = verify(runtime, "--earlier", str(kept[reader]))
    assert found.exit_code == 1
    assert "something was rewritten" in " ".join(found.output.split())


def test_two_files_are_compared_without_a_database(
    kept: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAATMATCH_DATABASE_URL", "sqlite:////nowhere/at/all.db")
    command = ["verify", str(kept["hub"]), "--earlier", str(kept["company"])]
    assert runner.invoke(app, command).exit_code == 0


def test_a_kept_proof_that_was_changed_or_is_of_another_broadcast_is_told(
    runtime: Runtime, world: World, kept: dict[str, Path], tmp_path: Path
) -> None:
    document = json.loads(kept["hub"].read_text())
    document["ledger"][1]["details"]["late"] = True
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(document))
    found = verify(runtime, "--earlier", str(changed))
    assert found.exit_code == 1
    assert "the earlier proof was changed itself" in " ".join(found.output.split())
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, IMPORT)
        before = replace(desk, at=desk.at - timedelta(hours=1))
        _, other = submit_and_approve(before, world)
        document = proof.proof(desk, other)
        other_id = other.id
    changed.write_text(json.dumps(document))
    document = json.loads(kept["hub"].read_text())
    assert document["broadcast"]["id"] != other_id
    result = runner.invoke(app, ["verify", str(kept["hub"]), "--earlier", str(changed)])
    assert "of another broadcast" in " ".join(result.output.split())
    changed.write_text("no json")
    broken = runner.invoke(app, ["verify", str(kept["hub"]), "--earlier", str(changed)])
    assert broken.exit_code == 1
    assert "is no downloaded proof" in " ".join(broken.output.split())
