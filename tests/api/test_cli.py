"""The command line as a person uses it: exit codes, clear errors, real files."""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.settings import DATA
from tests.conftest import SECRET

runner = CliRunner()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with an initialised embedded database."""
    monkeypatch.setenv("MAATMATCH_SECRET_KEY", SECRET)
    monkeypatch.setenv("MAATMATCH_DATABASE_URL", f"sqlite:///{tmp_path / 'm.db'}")
    result = runner.invoke(app, ["init", "--coordinator", "cato@hub.example", "--hub", "gent"])
    assert result.exit_code == 0, result.output
    return tmp_path


def test_help_names_every_command() -> None:
    result = runner.invoke(app, ["--help"])
    for command in ("demo", "serve", "worker", "init", "import", "match", "rank", "train",
                    "evaluate", "calibrate", "verify", "doctor"):  # fmt: skip
        assert command in result.output


def test_a_weak_secret_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAATMATCH_DATABASE_URL", f"sqlite:///{tmp_path / 'm.db'}")
    for weak in ("", "short", "a" * 40, "change-me-change-me-0123456789-abcdef"):
        monkeypatch.setenv("MAATMATCH_SECRET_KEY", weak)
        result = runner.invoke(app, ["serve"])
        assert result.exit_code == 1
        assert "secret_key" in result.output


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_the_open_doors_of_the_demo_are_not_served(
    installed: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("MAATMATCH_DEMO", "true")
    monkeypatch.setenv("MAATMATCH_SECRET_KEY", "")
    result = runner.invoke(app, [command])
    assert result.exit_code == 1
    assert "maatmatch demo" in result.output


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text(SECRET + "\n")
    monkeypatch.delenv("MAATMATCH_SECRET_KEY", raising=False)
    monkeypatch.setenv("MAATMATCH_SECRET_KEY_FILE", str(secret))
    monkeypatch.setenv("MAATMATCH_DATABASE_URL", f"sqlite:///{tmp_path / 'm.db'}")
    assert runner.invoke(app, ["init"]).exit_code == 0


def test_import_reports_bad_rows_and_imports_nothing(installed: Path) -> None:
    table = installed / "companies.csv"
    table.write_text("name,sites\nGoed,2800 Mechelen\nSlecht,0000\n")
    result = runner.invoke(app, ["import", "companies", str(table)])
    assert result.exit_code == 1
    assert "1 of 2 rows are wrong" in result.output
    table.write_text("name,sites\nGoed,2800 Mechelen\n")
    dry = runner.invoke(app, ["import", "companies", str(table), "--dry-run"])
    assert "1 would be added" in dry.output
    done = runner.invoke(app, ["import", "companies", str(table)])
    assert "1 were added" in done.output


def test_match_ranks_what_is_installed(installed: Path) -> None:
    (installed / "c.csv").write_text("external_id,name,sites\nm1,Het Rad,9000\nm2,De Pan,9000\n")
    (installed / "o.csv").write_text(
        "company,text\nm1,Fietsen herstellen en onderhouden\nm2,Broodjes voor vergaderingen\n"
    )
    runner.invoke(app, ["import", "companies", str(installed / "c.csv")])
    runner.invoke(app, ["import", "offers", str(installed / "o.csv")])
    result = runner.invoke(app, ["match", "Onze velo's zijn kapot, wie repareert ze?"])
    assert result.exit_code == 0, result.output
    assert result.output.index("Het Rad") < result.output.index("De Pan")


def test_rank_writes_every_pair_best_first(tmp_path: Path) -> None:
    (tmp_path / "n.jsonl").write_text(json.dumps({"id": "n1", "text": "fietsen herstellen"}) + "\n")
    offers = [
        {"id": "o1", "text": "soep koken"},
        {"id": "o2", "text": "fietspunt: onderhoud en herstelling", "company_id": "c1"},
    ]
    (tmp_path / "o.jsonl").write_text("\n".join(map(json.dumps, offers)))
    command = ["rank", "--needs", str(tmp_path / "n.jsonl"), "--offers", str(tmp_path / "o.jsonl"),
               "--out", str(tmp_path / "r.jsonl")]  # fmt: skip
    assert runner.invoke(app, command).exit_code == 0
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [line["offer_id"] for line in lines] == ["o2", "o1"]
    assert set(lines[0]) == {"need_id", "offer_id", "score", "probability"}
    first = (tmp_path / "r.jsonl").read_bytes()
    runner.invoke(app, command)
    assert (tmp_path / "r.jsonl").read_bytes() == first
    runner.invoke(app, [*command, "--top", "1"])
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize("line", ["{kapot", '{"id": "n2"}', "[]", '{"id": 3, "text": "x"}'])
def test_rank_names_the_line_that_is_wrong(tmp_path: Path, line: str) -> None:
    (tmp_path / "n.jsonl").write_text('{"id": "n1", "text": "x"}\n' + line + "\n")
    (tmp_path / "o.jsonl").write_text('{"id": "o1", "text": "x"}\n')
    result = runner.invoke(
        app,
        ["rank", "--needs", str(tmp_path / "n.jsonl"), "--offers", str(tmp_path / "o.jsonl"),
         "--out", str(tmp_path / "r.jsonl")],
    )  # fmt: skip
    assert result.exit_code == 1
    assert "line 2" in result.output
    assert not (tmp_path / "r.jsonl").exists()


def test_the_doctor_says_what_to_do(installed: Path) -> None:
    result = runner.invoke(app, ["doctor"])
    assert result.exit_code == 1  # no mail server here
    assert "database" in result.output
    assert "MAATMATCH_SMTP_HOST" in result.output.replace("\n", "")


def test_vectors_are_made_once(installed: Path) -> None:
    (installed / "c.csv").write_text("external_id,name,sites\nm1,Het Rad,9000\n")
    (installed / "o.csv").write_text("company,text\nm1,Fietsen herstellen\n")
    runner.invoke(app, ["import", "companies", str(installed / "c.csv")])
    runner.invoke(app, ["import", "offers", str(installed / "o.csv")])
    assert runner.invoke(app, ["vectors"]).stdout.startswith("1 offers encoded")
    assert runner.invoke(app, ["vectors"]).stdout.startswith("0 offers encoded")


@pytest.fixture
def served(installed: Path) -> Iterator[str]:
    """The address of a service that really runs, in a process of its own."""
    command = [sys.executable, "-c", "from api.cli import app; app()", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        try:
            yield found[0]
        finally:
            process.terminate()


def test_a_made_up_forwarded_address_escapes_no_limit(served: str) -> None:
    """Behind a proxy on the same machine anybody could else write X-Forwarded-For themselves."""
    answers = []
    for number in range(11):
        ask = urllib.request.Request(f"{served}/sign-in", b"email=otto@firm.example")
        ask.add_header("X-Forwarded-For", f"192.0.2.{number}")
        answers.append(status(ask))
    assert answers == [200] * 10 + [429]


def status(ask: urllib.request.Request) -> int:
    """The status of the answer, once the service listens."""
    ends = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(ask) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code
        except urllib.error.URLError:
            assert time.monotonic() < ends, "the service did not start"
            time.sleep(0.1)


def test_a_configured_encoder_needs_its_ranking_files_and_finds_them_beside_it(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = installed / "model" / "encoder"
    shutil.copytree(DATA / "encoder", model)
    monkeypatch.setenv("MAATMATCH_ENCODER", str(model))
    monkeypatch.setenv("XDG_DATA_HOME", str(installed))
    refused = runner.invoke(app, ["vectors"])
    assert refused.exit_code == 1
    assert "maatmatch train --encoder" in refused.output
    shutil.copytree(DATA / "ranking", installed / "model" / "ranking")
    assert runner.invoke(app, ["vectors"]).exit_code == 0


def test_train_wants_to_know_what(tmp_path: Path) -> None:
    result = runner.invoke(app, ["train"])
    assert result.exit_code == 1
    assert "--corpus" in result.output
