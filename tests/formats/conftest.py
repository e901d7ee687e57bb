"""Property-based tests: the same examples in each run, few enough for a short one."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "formats",
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("formats")
