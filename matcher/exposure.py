"""The arithmetic of the exposure audit: exact tests for few and unequal needs.

Every need is a stratum: of `population` companies that stood an equal chance there, `group`
belong to the group that is looked at, `drawn` were taken (got the lead, opened, answered, were
chosen), `observed` of these from the group. If nothing but chance drew them, `observed` follows
the hypergeometric distribution in every stratum; its sum over the strata is their convolution.

Source: the exact conditional test of stratified 2 x 2 tables, C. R. Mehta, N. R. Patel and
R. Gray (1985), "Computing an exact confidence interval for the common odds ratio in several
2 x 2 contingency tables", Journal of the American Statistical Association 80, 969-973.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb

SLACK = 1e-9  # relative: probabilities this close to the observed one count as equally extreme


@dataclass(frozen=True)
class Stratum:
    """One need. Raises ValueError for numbers that cannot be."""

    population: int
    group: int
    drawn: int
    observed: int

    def __post_init__(self) -> None:
        least = max(0, self.drawn + self.group - self.population)
        if not (
            0 <= self.group <= self.population
            and 0 <= self.drawn <= self.population
            and least <= self.observed <= min(self.group, self.drawn)
        ):
            raise ValueError(f"such a stratum cannot be: {self}")


@dataclass(frozen=True)
class Test:
    """The group's count over all strata, beside what equal chances give.

    `p_value` is two-sided: the probability of a count at most as likely as the observed one.
    `smallest_p` is the least p-value that any outcome could have given: when it is above 0.05,
    no outcome at all would have been evidence. `drawn` counts what was drawn, group or not.
    """

    observed: int
    expected: float
    drawn: int
    p_value: float
    smallest_p: float


def distribution(strata: Iterable[Stratum]) -> list[float]:
    """The probability of each count 0, 1, 2, ... of the group under equal chances."""
    total = [1.0]
    for each in strata:
        ways = comb(each.population, each.drawn)
        own = [
            comb(each.group, count) * comb(each.population - each.group, each.drawn - count) / ways
            if count <= each.drawn
            else 0.0
            for count in range(min(each.group, each.drawn) + 1)
        ]
        summed = [0.0] * (len(total) + len(own) - 1)
        for left, probability in enumerate(total):
            for right, other in enumerate(own):
                summed[left + right] += probability * other
        total = summed
    return total


def exact_test(strata: Sequence[Stratum]) -> Test:
    """Compare a group's count with equal chances in every stratum; exact, also for few."""
    chances = distribution(strata)
    observed = sum(each.observed for each in strata)
    possible = [chance for chance in chances if chance > 0]
    return Test(
        observed=observed,
        expected=sum(each.drawn * each.group / each.population for each in strata
                     if each.population),
        drawn=sum(each.drawn for each in strata),
        p_value=_as_extreme(possible, chances[observed]),
        smallest_p=_as_extreme(possible, min(possible)),
    )  # fmt: skip


def _as_extreme(chances: Sequence[float], limit: float) -> float:
    return min(1.0, sum(chance for chance in chances if chance <= limit * (1 + SLACK)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values for looking at many companies at once, in the order given.

    Source: S. Holm (1979), "A simple sequentially rejective multiple test procedure",
    Scandinavian Journal of Statistics 6, 65-70.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, position in enumerate(order):
        highest = max(highest, min(1.0, p_values[position] * (len(p_values) - rank)))
        adjusted[position] = highest
    return adjusted
