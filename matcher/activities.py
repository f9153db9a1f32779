"""The taxonomy: the kinds of work sheltered-work companies do, grouped by value chain."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

LANGUAGES = ("nl", "fr", "en")


class UnknownActivity(LookupError):
    """No activity or value chain has this code."""


@dataclass(frozen=True, slots=True)
class ValueChain:
    """A group of activities around one kind of material or service; names by language."""

    code: str
    names: Mapping[str, str] = field(hash=False)

    def label(self, lang: str) -> str:
        """The name in `lang` ("nl", "fr", "en"); Dutch for any other language."""
        return self.names.get(lang, self.names["nl"])


@dataclass(frozen=True, slots=True)
class Activity:
    """One kind of work.

    `about` describes it in Dutch, in the words of the trade; `near` holds the codes of
    activities it is easily confused or combined with.
    """

    code: str
    value_chain: str
    names: Mapping[str, str] = field(hash=False)
    about: str
    near: tuple[str, ...]

    def label(self, lang: str) -> str:
        """The name in `lang` ("nl", "fr", "en"); Dutch for any other language."""
        return self.names.get(lang, self.names["nl"])


class Activities:
    """All activities and value chains, in the order of the files."""

    def __init__(self, activities: list[Activity], value_chains: list[ValueChain]) -> None:
        self.all = tuple(activities)
        self.value_chains = tuple(value_chains)
        self._by_code = {each.code: each for each in activities}
        self._chain_by_code = {each.code: each for each in value_chains}

    @classmethod
    def load(cls, data_dir: Path) -> "Activities":
        """Read activities.csv and value_chains.csv from the data folder.

        Raises FileNotFoundError when one is missing, UnknownActivity when an activity names
        a value chain or a near activity that does not exist.
        """
        chains = [ValueChain(row["code"], _names(row)) for row in _rows(data_dir, "value_chains")]
        activities = [
            Activity(
                row["code"],
                row["value_chain"],
                _names(row),
                row["about"],
                tuple(filter(None, row["near"].split("|"))),
            )
            for row in _rows(data_dir, "activities")
        ]
        loaded = cls(activities, chains)
        for activity in activities:
            loaded.value_chain(activity.value_chain)
            for near in activity.near:
                loaded[near]
        return loaded

    def __getitem__(self, code: str) -> Activity:
        """The activity with this code. Raises UnknownActivity."""
        try:
            return self._by_code[code]
        except KeyError:
            raise UnknownActivity(f"no activity {code!r} in activities.csv") from None

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def value_chain(self, code: str) -> ValueChain:
        """The value chain with this code. Raises UnknownActivity."""
        try:
            return self._chain_by_code[code]
        except KeyError:
            raise UnknownActivity(f"no value chain {code!r} in value_chains.csv") from None

    def in_chain(self, value_chain: str) -> tuple[Activity, ...]:
        """The activities of one value chain. Raises UnknownActivity for an unknown chain."""
        self.value_chain(value_chain)
        return tuple(each for each in self.all if each.value_chain == value_chain)


def _rows(data_dir: Path, name: str) -> list[dict[str, str]]:
    with (data_dir / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _names(row: dict[str, str]) -> Mapping[str, str]:
    return MappingProxyType({lang: row[lang] for lang in LANGUAGES})
