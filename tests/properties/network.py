"""Databases for the property tests, one fresh per example, and what random networks are made of."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from api.runtime import Runtime
from matcher.ranking import Ranker
from tests.conftest import fresh_postgres, start, start_sqlite

Databases = Callable[[], "contextmanager[Runtime]"]  # type: ignore[type-arg]

PLACES = (
    "2800 Mechelen",
    "2500 Lier",
    "2860 Sint-Katelijne-Waver",
    "2870 Puurs-Sint-Amands",
    "8400 Oostende",
)
OFFERS = (
    "Industriële wasserij: linnen, luiers en werkkledij, met ophaling",
    "Strijken en plooien van linnengoed",
    "Inpakken, etiketteren en ompakken van producten in dozen",
    "Groenonderhoud: gras maaien, hagen scheren, onkruid wieden",
    "Fietsen herstellen en onderhouden",
)
TEXTS = (
    "Wie kan onze vuile luiers en lakens ophalen, wassen, plooien en proper terugbrengen?",
    "We zoeken iemand die elke week 500 pakjes inpakt en etiketteert.",
    "Onze tuin moet onderhouden worden: gras maaien en hagen scheren.",
)


def make_databases(request: pytest.FixtureRequest, kind: str, folder: Path) -> Databases:
    """A function that opens a fresh runtime with hubs laid, to be used as a context manager."""
    ranker: Ranker = request.getfixturevalue("ranker")
    number = iter(range(10**9))

    @contextmanager
    def sqlite() -> Iterator[Runtime]:
        own = folder / f"example{next(number)}"
        own.mkdir()
        runtime = start_sqlite(own, request.getfixturevalue("prepared_sqlite"), ranker)
        yield runtime
        runtime.close()

    @contextmanager
    def postgres() -> Iterator[Runtime]:
        with ExitStack() as stack:
            url = stack.enter_context(
                fresh_postgres(
                    request.getfixturevalue("postgres_url"),
                    request.getfixturevalue("prepared_postgres"),
                )
            )
            runtime = start(url, ranker)
            stack.callback(runtime.close)
            yield runtime

    return sqlite if kind == "sqlite" else postgres  # type: ignore[return-value]


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Databases:
    """Fresh databases of each kind."""
    return make_databases(request, request.param, tmp_path)
