import pytest

from tests.experiments.small import Small


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Tests leave its workspace as it is after a commit."""
    return Small(tmp_path_factory.mktemp("small"))
