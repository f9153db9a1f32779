"""`match`, `rank`, `train`, `evaluate` and `calibrate`: the matcher from the command line."""

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from api.cli import app, clear_errors, fail, out, progress_bar
from api.settings import DATA, load_settings

Existing = Annotated[Path, typer.Option(exists=True, dir_okay=False, readable=True)]


@app.command()
def match(
    text: Annotated[str, typer.Argument(help="A need, in Dutch, French or English.")],
    top: Annotated[int, typer.Option(min=1, help="How many companies to show.")] = 10,
    offers: Annotated[
        Path | None,
        typer.Option(exists=True, help="Rank these offers (JSON lines) instead."),
    ] = None,
) -> None:
    """Rank companies for a need, with the offer line and the words that explain it.

    Uses the offers in the configured database; without one, those of the demo network.
    """
    with clear_errors():
        from api.services.matching_text import match_text

        found = match_text(text, offers, top=top)
        if not found.reading.steps:
            raise fail("there is nothing to read in this text; describe the work to be done")
        out.print(
            f"Read as: {found.reading.language}, probability of fitting work "
            f"{found.reading.fit:.0%}"
        )
        for step in found.reading.steps:
            kinds = ", ".join(f"{code} {share:.0%}" for code, share in step.activities[:3])
            out.print(f"  - {step.text}  [{kinds}]", markup=False)
        for step in found.reading.unasked:
            out.print(f"  ? not asked: {step.text}  [{step.activities[0][0]}]", markup=False)
        if not found.fits:
            out.print("Nothing fits: no work for a maatwerkbedrijf was found in this text.")
        table = Table("", "company", "probability", "offer", "words")
        for position, row in enumerate(found.rows, start=1):
            words = ", ".join(f"{a}~{b}" for a, b, _ in row.explanation.pairs[:3])
            table.add_row(str(position), row.company, f"{row.probability:.0%}", row.offer, words)
        out.print(table)


@app.command()
def rank(
    needs: Annotated[Path, typer.Option(help='JSON lines {"id", "text"}.')],
    offers: Annotated[Path, typer.Option(help='JSON lines {"id", "text", "company_id"?}.')],
    out_file: Annotated[Path, typer.Option("--out", help="Where to write the ranking.")],
    top: Annotated[
        int | None, typer.Option(min=1, help="Offers per need; all if left out.")
    ] = None,
) -> None:
    """Rank offers for needs in a batch, without a database."""
    with clear_errors():
        from matcher.files import rank_files

        with progress_bar("Ranking") as step:
            lines = rank_files(needs, offers, out_file, top=top, progress=step)
        out.print(f"{lines} lines written to {out_file}")


@app.command()
def train(
    corpus: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder with the training text."),
    ] = None,
    encoder: Annotated[
        str, typer.Option(help="Keep this sentence-transformers model; make what ranks with it.")
    ] = "",
    out_folder: Annotated[
        Path, typer.Option("--out", help="Where the encoder and ranking files go.")
    ] = DATA,
) -> None:
    """Train the shipped encoder and all that ranks with it, or only what ranks with another."""
    with clear_errors(), progress_bar("Training") as step:
        if (corpus is None) == (not encoder):
            raise fail("give --corpus to train the encoder, or --encoder to rank with another")

        def told(what: str, done: float) -> None:
            step(done, 1.0, what)

        if corpus is not None:
            from matcher.training.run import train as train_all

            train_all(corpus, out_folder, told, data=DATA)
            out.print(f"Encoder and ranking files are in {out_folder}")
            return
        from api.runtime import ranking_folder
        from matcher.encoder import load_encoder
        from matcher.training.run import fit_ranking

        model = load_encoder(encoder)
        folder = ranking_folder(encoder, model)
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("lexical.npz", "words.txt"):
            shutil.copy(DATA / "ranking" / name, folder / name)
        fit_ranking(model, model, DATA, folder, told)
        out.print(f"Ranking files are in {folder}; set MAATMATCH_ENCODER={encoder}")


@app.command()
def evaluate(
    shared: Annotated[
        Path | None, typer.Option(help="Folder with the public test sets (eval/).")
    ] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for plots.")] = None,
) -> None:
    """One table: our ranking beside lexical baselines and the English teacher."""
    with clear_errors():
        from matcher.evaluation import evaluate as evaluate_all

        with progress_bar("Evaluating") as step:
            out.print(
                evaluate_all(shared, plots=plots, progress=step), markup=False, soft_wrap=True
            )


@app.command()
def calibrate() -> None:
    """Fit probability and threshold anew on the hub's own judgements, when there are enough."""
    with clear_errors():
        from api.cli.serving import _ready_runtime
        from api.services import calibrations
        from api.services.desk import WORKER, Desk

        runtime = _ready_runtime(load_settings())
        with runtime.sessions.begin() as session:
            desk = Desk(session, runtime, WORKER)
            row = calibrations.calibrate(desk)
            have, enough = calibrations.progress_towards(desk)
        if row is None:
            raise fail(
                f"{have} judged needs with a suitable company; a promise takes {enough}. "
                "The shipped calibration stays in force"
            )
        out.print(f"Calibrated on {row.needs} judged needs: {row.identity}")
        runtime.close()
