"""The samples of an account are as many as anybody's; what pages name as examples is in them."""

import gzip
import io

import pyarrow.parquet
import pytest

from local import sample_logs
from local.sample_logs import ACCOUNT
from servicelogs.opensearch.dashboards.export import export

OTHER = "444455556666"


def text(data: bytes) -> str:
    """Give all that can be read in an object."""
    if data.startswith(b"PAR1"):
        return str(pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist())
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    return data.decode(errors="replace")


def test_another_accounts_objects_name_it_and_nobody_else() -> None:
    for one, other in zip(sample_logs.objects(seed=2), sample_logs.objects(2, OTHER), strict=True):
        assert other.key == one.key.replace(ACCOUNT, OTHER)
        assert text(other.data) == text(one.data).replace(ACCOUNT, OTHER)
        assert (other.records, other.rejected) == (one.records, one.rejected)


def test_another_accounts_log_events_name_it_and_nobody_else() -> None:
    for one, other in zip(
        sample_logs.log_events(seed=2), sample_logs.log_events(2, OTHER), strict=True
    ):
        assert ACCOUNT not in str(other.events)
        assert str(other.events) == str(one.events).replace(ACCOUNT, OTHER)


@pytest.mark.parametrize(
    ("page", "log_types"),
    [
        ("client", {"alb", "waf"}),
        ("principal", {"cloudtrail"}),
        ("request", {"alb", "waf", "lambda"}),
    ],
)
def test_what_a_page_about_one_value_names_as_an_example_is_in_the_samples(
    page: str, log_types: set[str]
) -> None:
    named = next(one for one in export()["pages"] if one["name"] == page)
    example = named["ask"]["label"].partition(" as ")[2].partition(" or ")[0]
    found = {one.format for one in sample_logs.objects() if example in text(one.data)}
    events = sample_logs.log_events()
    found |= {one.format for one in events if any(example in said for _, said in one.events)}
    assert found >= log_types
