"""The account and Region that a row is kept under: never empty, for they are in its file's path."""

from collections.abc import Collection

from servicelogs.parsing.format import Format
from servicelogs.parsing.places import Place, place_in, place_of
from servicelogs.records import Source

WORLDWIDE = "global"
"""Stands for the Region of what is of none."""


def row_place(log_format: Format, source: Source, values: Collection[str], default: Place) -> Place:
    """Give the account and Region of a record by its source and by its values that name places.

    The source's own default, else this one, counts for what neither of them says.
    """
    place = place_in(source, place_of(values))
    account_id = place.account_id or source.default_account_id or default.account_id
    if log_format.is_worldwide(source, values):
        return Place(account_id, WORLDWIDE)
    return Place(account_id, place.region or source.default_region or default.region)
