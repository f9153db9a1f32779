"""The command line as a person uses it: exit codes, clear errors, real files."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
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
    assert runner.invoke(app, ["vectors"]).output.startswith("1 offers encoded")
    assert runner.invoke(app, ["vectors"]).output.startswith("0 offers encoded")
