"""What the tests of the JSON API share: one laid stage, played on copies."""

import pytest

from matcher.ranking import Ranker
from tests.api.stage import Theatre


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory, ranker: Ranker) -> Theatre:
    """The stage, laid once."""
    return Theatre(tmp_path_factory.mktemp("stage"), ranker)
