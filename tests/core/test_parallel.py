import pytest

from facealign.core.errors import ConfigError
from facealign.core.parallel import map_in_order
from facealign.synthesis.pictures import plan_pictures, render


def _refuse(number: int) -> int:
    raise ConfigError(f"no {number}")


def test_the_number_of_processes_changes_neither_order_nor_a_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plans = plan_pictures(12, 5)[:6]
    results = []
    for workers in ("1", "2"):
        monkeypatch.setenv("FACEALIGN_WORKERS", workers)
        results.append([picture for picture, _ in map_in_order(render, plans, "render")])
    assert results[0] == results[1]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_error_in_a_process_reaches_the_caller(
    workers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEALIGN_WORKERS", workers)
    with pytest.raises(ConfigError, match="no 3"):
        list(map_in_order(_refuse, [3, 4], "refuse"))
