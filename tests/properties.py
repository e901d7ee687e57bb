"""How many examples properties are tested with: all, or a quarter (`make test-quick`).

The examples are the same in each run. `--hypothesis-profile=quick` chooses the quarter.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "full",
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
settings.register_profile("quick", settings.get_profile("full"), max_examples=15)


def examples(share: float) -> settings:
    """Test a property with so many times the examples that others are tested with."""
    return settings(max_examples=round(share * settings().max_examples))
