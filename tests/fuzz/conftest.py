from hypothesis import HealthCheck, settings

from tests.fuzz.sections import SCALE

# the same examples in each run, however slow the machine; FUZZ asks for more of them
settings.register_profile(
    "facealign",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=max(1, round(50 * SCALE)),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("facealign")
