"""The reference of a log type: its fields, for people to read."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from servicelogs.parsing.fields import Field, FieldType
from servicelogs.parsing.format import Format

_PLAIN_TYPES: Mapping[FieldType, str] = {"timestamp_nanos": "timestamp", "stored": "JSON"}
"""What a reader calls a type, where it is not its own name."""


_PERSONAL_NAMES: Mapping[str, str] = {
    "source.address": "addresses",
    "source.domain": "addresses",
    "source.ip": "addresses",
    "source.as.number": "network",
    "source.geo.country_iso_code": "country",
    "user.id": "names and ids",
    "user.name": "names and ids",
    "user_agent.original": "what the client calls itself",
    "tls.client.subject": "certificate of the client",
    "url.original": "URL",
    "url.path": "URL",
    "url.query": "URL",
    "http.request.referrer": "URL",
    "db.query.text": "SQL, with the values in it",
}
"""The common names of fields that can say something of a person, and what such fields hold."""
_PERSONAL_TYPES: Mapping[FieldType, str] = {
    "flat_object": "anything",
    "stored": "anything",
    "text": "anything",
}


class FieldEntry(NamedTuple):
    """What the reference says of a field."""

    name: str
    type: str
    since: str
    also_called: str
    """Its names that are the same for all log types, separated by commas."""
    description: str


def field_entries(log_format: Format) -> list[FieldEntry]:
    """List the fields of a log type in the order AWS documents them."""
    also = _also_called(log_format)
    return [
        FieldEntry(
            field.name,
            type_of(field),
            field.since,
            ", ".join(_other_names(field, also)),
            field.description if field.indexed else f"{field.description}; not searchable",
        )
        for field in log_format.fields
    ]


def personal_fields(log_format: Format) -> dict[str, str]:
    """Give the fields of a log type that can say something of a person, and what they hold."""
    also, found = _also_called(log_format), {}
    for field in log_format.fields:
        by_name = filter(None, map(_PERSONAL_NAMES.get, _other_names(field, also)))
        by_type = _PERSONAL_TYPES.get(field.type)
        if what := log_format.personal.get(field.name) or next(by_name, by_type):
            found[field.name] = what
    return found


def type_of(field: Field) -> str:
    """Say what a field holds."""
    one = _PLAIN_TYPES.get(field.type, field.type)
    return f"list of {one}" if field.many else one


def _also_called(log_format: Format) -> dict[str, list[str]]:
    also: dict[str, list[str]] = {}
    for common, field in log_format.common.items():
        also.setdefault(field, []).append(common)
    return also


def _other_names(field: Field, also: Mapping[str, list[str]]) -> Iterator[str]:
    if field.alias_of:
        yield field.alias_of
    yield from also.get(field.name, ())
    # The addresses of a field that also holds names are a sub-field of it.
    yield from also.get(f"{field.name}.ip", ())
