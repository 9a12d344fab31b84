import time

from facealign.timing import WARM_UP, median_ms


def test_the_median_of_the_calls_after_the_first_few() -> None:
    waits = iter([0.2] * WARM_UP + [0.01, 0.02, 0.3])
    assert 20 <= median_ms(lambda: time.sleep(next(waits)), 3) < 290
    assert next(waits, None) is None
