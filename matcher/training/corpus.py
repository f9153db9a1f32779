"""Text pairs that mean the same, read from a folder of public classifications and parallel text.

Only files whose licence lets weights ship are read. Left out on purpose: ``experiments/`` (GPL or
of doubtful origin) and every national *occupation* map, because their titles are the queries of
the MELO test sets.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

LONGEST = 300  # characters kept of a description
PAIRS_PER_ENTRY = 12  # so that one occupation with thirty alternatives does not fill a batch

PairGroups = dict[str, list[tuple[str, str]]]
"""Name of a group (file and language pair) -> its pairs. A batch is drawn from one group."""


class CorpusError(ValueError):
    """The corpus folder lacks a file or a column that training reads."""


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if not path.is_file():
        raise CorpusError(
            f"{path} is missing; --corpus must name the folder that holds esco/, cpv/, nace/ "
            "and parallel/"
        )
    with path.open(encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)


def _split(value: str, separator: str = "|") -> list[str]:
    return [part.strip() for part in value.split(separator) if part.strip()]


def _add(groups: PairGroups, name: str, left: str, right: str) -> None:
    left, right = left.strip()[:LONGEST], right.strip()[:LONGEST]
    if left and right and left.casefold() != right.casefold():
        groups.setdefault(name, []).append((left, right))


def _across(groups: PairGroups, source: str, texts: dict[str, str]) -> None:
    """Every pair of languages in which one entry has a text."""
    for (a, left), (b, right) in combinations(sorted(texts.items()), 2):
        _add(groups, f"{source}:{a}-{b}", left, right)


def _entry(
    groups: PairGroups,
    source: str,
    rng: random.Random,
    labels: dict[str, str],
    alternatives: dict[str, list[str]],
    descriptions: dict[str, str],
) -> None:
    """One occupation or skill: label, other labels and description, within and across languages."""
    _across(groups, source, labels)
    for language, others in alternatives.items():
        known = [name for name in [labels.get(language, ""), *others] if name]
        pairs = list(combinations(known, 2))
        rng.shuffle(pairs)
        for left, right in pairs[:PAIRS_PER_ENTRY]:
            _add(groups, f"{source}:{language}-{language}", left, right)
    for (a, ours), (b, theirs) in combinations(sorted(alternatives.items()), 2):
        for _ in range(min(3, len(ours), len(theirs))):
            _add(groups, f"{source}-alt:{a}-{b}", rng.choice(ours), rng.choice(theirs))
    for language, text in descriptions.items():
        _add(groups, f"{source}-about:{language}", labels.get(language, ""), text)
        for name in alternatives.get(language, [])[:2]:
            _add(groups, f"{source}-about:{language}", name, text)
    if "nl" in labels and "en" in descriptions and "nl" not in descriptions:
        _add(groups, f"{source}-about:nl-en", labels["nl"], descriptions["en"])
    if "fr" in labels and "en" in descriptions:
        _add(groups, f"{source}-about:fr-en", labels["fr"], descriptions["en"])


def _languages(row: dict[str, str], prefix: str, codes: Sequence[str]) -> dict[str, str]:
    return {code: row[prefix + code] for code in codes if row.get(prefix + code, "").strip()}


def read_pairs(corpus: Path, seed: int = 7) -> PairGroups:
    """All pairs of the corpus folder, by group; the same folder and seed give the same pairs.

    Raises:
        CorpusError: a file that training reads is not there.
    """
    rng = random.Random(seed)  # noqa: S311
    groups: PairGroups = {}
    codes = ("nl", "en", "fr", "de")
    for name in ("occupations_nl_en_fr", "skills_nl_en_fr_de"):
        for row in _rows(corpus / "esco" / f"{name}.csv"):
            _entry(
                groups,
                "esco-" + name.split("_")[0],
                rng,
                _languages(row, "label_", codes),
                {c: _split(row.get(f"alt_{c}") or "") for c in codes if row.get(f"alt_{c}")},
                _languages(row, "desc_", codes),
            )
    for row in _rows(corpus / "esco" / "vdab_competent_esco_map.csv"):
        _add(groups, "vdab:nl-fr", row["vdab_nl"], row["vdab_fr"])
        if row["relation"] in {"exactMatch", "closeMatch", "narrowMatch"}:
            for code in ("nl", "en", "fr"):
                _add(groups, f"vdab-esco:nl-{code}", row["vdab_nl"], row[f"esco_{code}"])
    for row in _rows(corpus / "cpv" / "cpv_2008.csv"):
        _across(groups, "cpv", _languages(row, "label_", codes))
    for row in _rows(corpus / "nace" / "nacebel_2008_nl_fr_de_en.csv"):
        _across(groups, "nace", _languages(row, "", codes))
    for row in _rows(corpus / "nace" / "cpa21_en.csv"):
        _add(groups, "cpa:en", row["en"], row["includes"])
    for row in _rows(corpus / "cpv" / "eforms_parallel_nl_en_fr_de.csv"):
        _across(groups, "eforms", _languages(row, "", ("nl", "en", "fr")))
    for row in _rows(corpus / "parallel" / "osm_presets_nl_en_fr_de.csv"):
        _across(groups, "osm", _languages(row, "", codes))
        terms = {c: _split(row[f"{c}_terms"], ",") for c in codes}
        for code in ("nl", "en", "fr"):
            for term in terms[code][:6]:
                _add(groups, f"osm-terms:{code}", row[code], term)
                if code != "en":
                    _add(groups, f"osm-terms:{code}-en", term, row["en"])
    for name in ("tldr", "ntrex128"):
        for row in _rows(corpus / "parallel" / f"{name}_nl_en_fr_de.csv"):
            _across(groups, name, _languages(row, "", ("nl", "en", "fr")))
    for left, right in (("eng", "nld"), ("fra", "nld"), ("eng", "fra"), ("deu", "nld")):
        for row in _rows(corpus / "parallel" / f"opusmt_{left}-{right}.csv"):
            _add(groups, f"opus:{left}-{right}", row[left], row[right])
    for code, other in (("eng", "en"), ("fra", "fr")):
        for row in _rows(corpus / "parallel" / f"tatoeba_pivot_nld-{code}.csv"):
            _add(groups, f"tatoeba:nl-{other}", row["nl"], row[other])
    return {name: sorted(set(pairs)) for name, pairs in sorted(groups.items())}


def labels(pairs: PairGroups) -> list[str]:
    """The texts of classifications that name something: no descriptions, no sentences."""
    return list(
        dict.fromkeys(
            text
            for name, group in pairs.items()
            if name.startswith(("esco-occupations", "vdab", "cpv")) and "about" not in name
            for pair in group
            for text in pair
        )
    )
