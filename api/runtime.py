"""What a running Maatmatch holds: settings, database, reference data, the ranker."""

import csv
import threading
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from api.database import make_engine, make_sessions
from api.settings import Settings, home
from matcher.activities import Activities
from matcher.encoder import Encoder, EncoderError, load_encoder
from matcher.places import Places
from matcher.ranking import Ranker
from matcher.signals import OfferIndex


def ranking_folder(name: str, encoder: Encoder) -> Path:
    """Where the ranking files of a configured encoder are: beside it, as training writes them,
    or, for a model of others, in the folder of this installation."""
    beside = Path(name).parent / "ranking"
    return beside if beside.is_dir() else home() / "rankings" / encoder.identity


@dataclass
class Runtime:
    """One per process; the heavy parts are loaded when first needed."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    offer_index: tuple[str, OfferIndex] | None = None  # (fingerprint, index), kept by vectors
    kept: dict[Hashable, object] = field(default_factory=dict)  # readings, kept by matching
    case_index: tuple[str, OfferIndex, dict[str, Any]] | None = None  # kept by cases

    @classmethod
    def start(cls, settings: Settings) -> "Runtime":
        engine = make_engine(settings.database_url)
        return cls(settings, engine, make_sessions(engine))

    @cached_property
    def places(self) -> Places:
        return Places.load(self.settings.data_dir)

    @cached_property
    def activities(self) -> Activities:
        return Activities.load(self.settings.data_dir)

    @cached_property
    def certificates(self) -> dict[str, dict[str, str]]:
        """Certificate codes with their names per language."""
        with (self.settings.data_dir / "certificates.csv").open(encoding="utf-8") as file:
            return {row.pop("code"): row for row in csv.DictReader(file)}

    @cached_property
    def ranker(self) -> Ranker:
        with self._lock:
            if not self.settings.encoder:
                return Ranker.load(self.settings.data_dir)
            encoder = load_encoder(self.settings.encoder)
            folder = ranking_folder(self.settings.encoder, encoder)
            try:
                return Ranker.load(self.settings.data_dir, encoder, folder)
            except EncoderError as error:
                raise EncoderError(
                    f"{error}; or for this encoder alone: "
                    f"maatmatch train --encoder {self.settings.encoder}"
                ) from None

    @property
    def lock(self) -> threading.RLock:
        """Held while the offer index is rebuilt, so that two requests do it once."""
        return self._lock

    def close(self) -> None:
        self.engine.dispose()
