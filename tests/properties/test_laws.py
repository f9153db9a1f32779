"""The laws of neutrality hold after every step of random histories, on both databases."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.network import Databases
from tests.properties.region import Region


def histories(databases: Databases, examples: int, steps: int, *, derandomize: bool) -> set[str]:
    """Run random histories; returns what they came by."""
    reached: set[str] = set()

    def make() -> Region:
        network = Region(databases)
        network.reached = reached
        return network

    run_state_machine_as_test(
        make,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=derandomize,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return reached


@pytest.fixture
def few(request: pytest.FixtureRequest) -> int:
    """A new PostgreSQL database takes longer to make than an embedded one."""
    return 8 if "sqlite" in request.node.callspec.id else 3


def test_the_laws_hold_in_random_histories(databases: Databases, few: int) -> None:
    # Few, so that the default run stays short; the slow test below looks much further.
    reached = histories(databases, few, 20, derandomize=True)
    assert "approved" in reached, "these histories prove nothing"


@pytest.mark.slow
def test_the_laws_hold_in_many_random_histories(databases: Databases) -> None:
    reached = histories(databases, 400, 50, derandomize=False)
    print(sorted(reached))  # noqa: T201
    assert {
        "approved", "answered", "chosen", "mailed", "opened", "returned", "readdressed",
        "referred", "woken",
    } <= reached  # fmt: skip
