"""Fixtures of the property tests."""

from tests.properties.network import databases

__all__ = ["databases"]
