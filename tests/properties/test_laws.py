"""The laws of neutrality hold after every step of random histories, on both databases."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.machine import Network
from tests.properties.network import Databases


def histories(databases: Databases, examples: int, steps: int, *, derandomize: bool) -> set[str]:
    """Run random histories; returns what they came by."""
    reached: set[str] = set()

    def make() -> Network:
        network = Network(databases)
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


def test_the_laws_hold_in_random_histories(databases: Databases) -> None:
    # Few, so that the default run stays short; the slow test below looks much further.
    reached = histories(databases, 8, 20, derandomize=True)
    assert {"approved", "mailed"} <= reached, "these histories prove nothing"


@pytest.mark.slow
def test_the_laws_hold_in_many_random_histories(databases: Databases) -> None:
    reached = histories(databases, 400, 50, derandomize=False)
    assert {"approved", "answered", "chosen", "mailed"} <= reached
