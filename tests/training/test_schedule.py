import pytest

from facealign.training.schedule import ema_decay, learning_rate

PEAK = 0.002


def rates(steps: int, warmup: int) -> list[float]:
    return [learning_rate(step, steps, warmup, PEAK) for step in range(steps)]


def test_the_first_step_has_the_first_share_of_the_peak() -> None:
    assert learning_rate(0, 100, 5, PEAK) == pytest.approx(PEAK / 5)


def test_the_last_step_of_the_warm_up_has_the_peak() -> None:
    assert learning_rate(4, 100, 5, PEAK) == PEAK
    assert max(rates(100, 5)) == PEAK


def test_half_way_down_the_rate_is_half_the_peak() -> None:
    # 95 steps follow the warm-up, and the fall would end with one more
    assert learning_rate(4 + 48, 100, 5, PEAK) == pytest.approx(PEAK / 2)


def test_the_final_step_has_almost_no_rate() -> None:
    assert 0 <= learning_rate(99, 100, 5, PEAK) < PEAK / 1000


def test_the_rate_rises_then_falls() -> None:
    values = rates(100, 5)
    assert values[:5] == sorted(values[:5])
    assert values[4:] == sorted(values[4:], reverse=True)


def test_without_a_warm_up_the_rate_begins_just_below_the_peak() -> None:
    values = rates(100, 0)
    assert 0.999 * PEAK < values[0] <= PEAK
    assert values == sorted(values, reverse=True)


def test_a_warm_up_of_all_steps_ends_at_the_peak() -> None:
    assert rates(4, 4) == pytest.approx([PEAK / 4, PEAK / 2, 3 * PEAK / 4, PEAK])


@pytest.mark.parametrize("warmup", [0, 1])
def test_a_training_of_one_step_learns(warmup: int) -> None:
    assert learning_rate(0, 1, warmup, PEAK) > 0


def test_the_average_follows_at_first_and_keeps_its_decay_in_the_end() -> None:
    assert ema_decay(0, 0.999) == pytest.approx(0.1)
    assert ema_decay(89, 0.999) == pytest.approx(90 / 99)
    assert ema_decay(10**6, 0.999) == 0.999
    decays = [ema_decay(step, 0.99) for step in range(2000)]
    assert decays == sorted(decays)
