"""Make the index template of a log type from the declaration of its format.

What all types share lies in component templates, once: an owner sees there what every document has,
and how every index is kept.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from servicelogs.opensearch.index_names import IndexNames
from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Format
from servicelogs.parsing.frame import FRAME
from servicelogs.settings import IndexSettings

# Above the templates that come with OpenSearch, and with room below and above for an owner's own.
PRIORITY = 200

# Far above what any log type declares: for the fields that an owner adds in a template.
TOTAL_FIELDS = 1000

# The longest keyword, in characters of up to four bytes, that is still a term (32,766 bytes).
KEYWORD = {"type": "keyword", "ignore_above": 8191}

# What is not an address, or not a number: kept in the document, not searchable as such.
IP = {"type": "ip", "ignore_malformed": True}

TYPES: Mapping[str, Mapping[str, Any]] = {
    "keyword": KEYWORD,
    "text": {"type": "text", "fields": {"keyword": KEYWORD}},
    "integer": {"type": "integer", "ignore_malformed": True},
    "long": {"type": "long", "ignore_malformed": True},
    "float": {"type": "float", "ignore_malformed": True},
    "ip": IP,
    "address": KEYWORD | {"fields": {"ip": IP}},
    "timestamp": {"type": "date", "ignore_malformed": True},
    "timestamp_nanos": {"type": "date_nanos", "ignore_malformed": True},
    "boolean": {"type": "boolean"},
    "flat_object": {"type": "flat_object"},
    "stored": {"type": "object", "enabled": False},
}

# What an alias cannot point to.
OBJECTS = ("flat_object", "object")


def component_templates(names: IndexNames, settings: IndexSettings) -> dict[str, dict[str, Any]]:
    """Return what the index templates of all log types share, by name: to be put before them."""
    shared = {"settings": {"settings": _settings(settings)}, "mappings": {"mappings": _frame()}}
    return {
        names.component(part): {
            "template": template,
            "_meta": {"description": f"The {part} that all log types share"},
        }
        for part, template in shared.items()
    }


def index_template(log_format: Format, names: IndexNames) -> dict[str, Any]:
    """Return the composable index template for the indexes of one log type."""
    return {
        "index_patterns": names.patterns(log_format.name),
        "priority": PRIORITY,
        "composed_of": [names.component("settings"), names.component("mappings")],
        "template": {"mappings": _of_type(log_format)},
        "_meta": {
            "description": f"{log_format.title} ({log_format.page})",
            "version": version(log_format),
        },
    }


def version(log_format: Format) -> str:
    """Return a short text that changes whenever the mapping does."""
    text = json.dumps(mappings(log_format), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def mappings(log_format: Format) -> dict[str, Any]:
    """Return the mapping: what every document has, the format's fields, and their common names."""
    frame, own = _flat(FRAME), _flat(log_format.fields)
    return _nested({**frame, **own, **dict(_common_names(log_format, {**frame, **own}))})


def _frame() -> dict[str, Any]:
    """Return the mapping of what every document has."""
    return _nested(_flat(FRAME))


def _of_type(log_format: Format) -> dict[str, Any]:
    """Return the mapping of what only the documents of a log type have."""
    frame, own = _flat(FRAME), _flat(log_format.fields)
    return _nested({**own, **dict(_common_names(log_format, {**frame, **own}))})


def _flat(fields: Iterable[Field]) -> dict[str, Mapping[str, Any]]:
    return {field.name: _type(field) for field in fields if field.indexed}


def _nested(flat: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, mapping in flat.items():
        _place(properties, name, mapping)
    return {"dynamic": False, "properties": properties}


def _type(field: Field) -> Mapping[str, Any]:
    if field.alias_of:
        return {"type": "alias", "path": field.alias_of}
    if field.date_format:
        return {**TYPES[field.type], "format": field.date_format}
    return TYPES[field.type]


def _common_names(
    log_format: Format, flat: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the common names of fields, as aliases where that can be.

    A name inside a free-form field cannot have one. `user_agent.original` for `user_agent` cannot
    be one: no field is both text and an object, so it is a sub-field, which costs its terms.
    """
    concrete = {name for name, mapping in flat.items() if mapping["type"] not in OBJECTS}
    concrete |= {f"{name}.ip" for name, mapping in flat.items() if "fields" in mapping}
    for common, path in log_format.common.items():
        above, _, leaf = common.rpartition(".")
        if path not in concrete or common in flat:
            continue
        if above == path:
            sub_fields = flat[path].get("fields", {}) | {leaf: _alone(flat[path])}
            yield path, {**flat[path], "fields": sub_fields}
        else:
            yield common, {"type": "alias", "path": path}


def _alone(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return a field's mapping without its sub-fields."""
    return {name: value for name, value in mapping.items() if name != "fields"}


def _place(properties: dict[str, Any], name: str, mapping: Mapping[str, Any]) -> None:
    """Put a field where the dots in its name say."""
    *parents, leaf = name.split(".")
    for depth, parent in enumerate(parents, 1):
        holder = properties.setdefault(parent, {"properties": {}})
        if "properties" not in holder:
            inside = ".".join(parents[:depth])
            raise ValueError(f"{name!r} cannot be mapped inside {inside!r}, a {holder['type']}")
        properties = holder["properties"]
    if leaf in properties:
        raise ValueError(f"{name!r} is mapped already, as {properties[leaf]!r}")
    properties[leaf] = dict(mapping)


def _settings(settings: IndexSettings) -> dict[str, Any]:
    if settings.engine_type != "opensearch":
        return {}  # OpenSearch Serverless decides these itself
    return {
        "index.number_of_shards": settings.shards,
        "index.number_of_replicas": settings.replicas,
        "index.refresh_interval": settings.refresh_interval,
        "index.codec": settings.codec,
        "index.mapping.total_fields.limit": TOTAL_FIELDS,
    }
