"""The exact tests of the exposure audit, beside scipy and beside counting every outcome."""

from itertools import combinations, product
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from matcher.exposure import Stratum, distribution, exact_test, holm


@st.composite
def strata(draw: st.DrawFn, most: int = 12) -> Stratum:
    population = draw(st.integers(1, most))
    group = draw(st.integers(0, population))
    drawn = draw(st.integers(0, population))
    low = max(0, drawn + group - population)
    return Stratum(population, group, drawn, draw(st.integers(low, min(group, drawn))))


@given(strata(most=30))
def test_one_need_is_fishers_exact_test(stratum: Stratum) -> None:
    inside, outside = stratum.observed, stratum.group - stratum.observed
    other = stratum.drawn - stratum.observed
    table = [[inside, outside], [other, stratum.population - stratum.group - other]]
    p_value = fisher_exact(table).pvalue
    assert isclose(exact_test([stratum]).p_value, p_value, rel_tol=1e-6, abs_tol=1e-12)


@given(st.lists(strata(most=5), min_size=1, max_size=3))
def test_several_needs_are_every_outcome_counted(needs: list[Stratum]) -> None:
    counts: dict[int, int] = {}
    draws = [list(combinations(range(n.population), n.drawn)) for n in needs]
    for outcome in product(*draws):
        total = sum(
            sum(company < need.group for company in drawn)
            for need, drawn in zip(needs, outcome, strict=True)
        )
        counts[total] = counts.get(total, 0) + 1
    everything = sum(counts.values())
    chances = distribution(needs)
    assert isclose(sum(chances), 1)
    for count, chance in enumerate(chances):
        assert isclose(chance, counts.get(count, 0) / everything, abs_tol=1e-12)
    test = exact_test(needs)
    mean = sum(count * ways for count, ways in counts.items()) / everything
    assert isclose(test.expected, mean, abs_tol=1e-9)
    assert test.smallest_p <= test.p_value + 1e-12


def test_a_favoured_group_shows() -> None:
    assert exact_test([Stratum(6, 1, 1, 1)] * 8).p_value < 0.001
    assert exact_test([Stratum(6, 1, 1, 0)] * 8).p_value > 0.2


def test_everybody_drawn_leaves_nothing_to_find() -> None:
    test = exact_test([Stratum(9, 3, 9, 3)] * 20)
    assert (test.p_value, test.smallest_p) == (1, 1)


def test_numbers_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be"):
        Stratum(5, 2, 3, 3)


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
