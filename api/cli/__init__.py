"""The command line: `maatmatch`. Exit codes: 0 done, 1 cannot be done, 2 wrong use."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.errors import Misconfigured, Problem

# Before numpy is imported: our matrices are small, a second BLAS thread only waits for the first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

app = typer.Typer(
    name="maatmatch",
    help="Neutral matching of firms' needs with maatwerkbedrijven.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def fail(message: str) -> typer.Exit:
    """Say what is wrong and what to do; `raise fail(...)` ends with exit code 1."""
    err.print(f"maatmatch: {message}", markup=False, soft_wrap=True)
    return typer.Exit(1)


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what a person can act on into one clear sentence and exit code 1."""
    from sqlalchemy.exc import OperationalError

    try:
        yield
    except (Problem, Misconfigured) as error:
        raise fail(str(error)) from None
    except OperationalError as error:
        raise fail(
            f"the database does not answer: {error.orig}. Check MAATMATCH_DATABASE_URL, "
            "free disk space, and run: maatmatch doctor"
        ) from None
    except (OSError, ValueError) as error:
        raise fail(str(error)) from None


@contextmanager
def progress_bar(label: str) -> Iterator[Any]:
    """A bar on a terminal, nothing in a pipe; yields `step(done, total)`."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(label, total=None)

        def step(done: float, total: float, what: str = label) -> None:
            bar.update(task, completed=done, total=total, description=what)

        yield step


from api.cli import admin, matching, serving  # noqa: E402 - each adds its commands to `app`

__all__ = ["admin", "app", "matching", "serving"]
