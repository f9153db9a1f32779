"""The reference network in the database: the twelve hubs and their territories."""

import csv
from collections import defaultdict
from pathlib import Path

from sqlalchemy import select

from api.services.desk import Desk
from models import Hub, HubMunicipality
from models.hub import HubKind


def lay_reference(desk: Desk) -> int:
    """Put the hubs of data/hubs.csv in the database; those already there keep their terms.

    Returns how many were new. A value-chain hub works for all Flemish municipalities.
    """
    folder = desk.runtime.settings.data_dir
    territories: dict[str, list[str]] = defaultdict(list)
    for row in _rows(folder / "hub_territories.csv"):
        territories[row["hub"]].append(row["nis"])
    flanders = sorted(
        each.nis for each in desk.runtime.places.municipalities if each.region == "flanders"
    )
    known = set(desk.session.scalars(select(Hub.slug)))
    new = [row for row in _rows(folder / "hubs.csv") if row["slug"] not in known]
    for row in new:
        kind = HubKind(row["kind"])
        nis_codes = flanders if kind is HubKind.VALUE_CHAIN else territories[row["slug"]]
        desk.session.add(
            Hub(
                slug=row["slug"],
                name=row["name"],
                kind=kind,
                value_chain=row["value_chain"] or None,
                organisation_kind=row["organisation_kind"],
                email=f"hub-{row['slug']}@maatmatch.example",
                municipalities=[HubMunicipality(nis=nis) for nis in nis_codes],
            )
        )
    desk.session.flush()
    return len(new)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
