"""What a panel should show, by a loop over documents, from its file and docs/dashboards.md.

It shares nothing with what makes search requests: it reads the YAML by itself, counts each document
under each of its values, and of a mapping takes only where a name's values are and of which type.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from fnmatch import translate
from typing import Any

import yaml

from servicelogs import formats
from servicelogs.opensearch.dashboards.page_files import PAGES
from servicelogs.opensearch.mappings import mappings

ADDRESSES = (ipaddress.IPv4Address, ipaddress.IPv6Address)
type Document = dict[str, list[Any]]
type Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Names:
    """What the mapping of a log type says of a name: where its values are, and of which type."""

    def __init__(self, log_type: str) -> None:
        self._found: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self._add(mappings(formats.get(log_type)), "")
        self._free = [n for n, (_, m) in self._found.items() if m["type"] == "flat_object"]

    def _add(self, holder: Mapping[str, Any], above: str) -> None:
        for leaf, mapping in holder["properties"].items():
            if "properties" in mapping:
                self._add(mapping, f"{above}{leaf}.")
                continue
            self._found[above + leaf] = (above + leaf, mapping)
            for sub, its in mapping.get("fields", {}).items():
                self._found[f"{above}{leaf}.{sub}"] = (above + leaf, its)

    def document(self, source: Mapping[str, Any]) -> Document:
        """Give the values of a document under all names."""
        written: Document = {}
        for path, value in leaves(source):
            written.setdefault(path, []).append(value)
        found: Document = {}
        for name, (path, mapping) in self._found.items():
            path, its = (
                self._found[mapping["path"]] if mapping["type"] == "alias" else (path, mapping)
            )
            found[name] = [v for one in written.get(path, []) if (v := typed(one, its)) is not None]
        for path, values in written.items():
            for above in self._free:
                if path.startswith(f"{above}."):
                    found[above] = found[path] = [*map(str, values)]
        return {name: values for name, values in found.items() if values}


def leaves(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Give all single values with the path each is at; lists have the path of what holds them."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, f"{above}.{key}" if above else key)
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member, above)
    elif value is not None:
        yield above, value


def typed(value: Any, mapping: Mapping[str, Any]) -> Any:
    """Give a value as a field of a type has it; None for one that the field cannot hold."""
    try:
        match mapping["type"]:
            case "keyword":
                text = str(value).lower() if isinstance(value, bool) else str(value)
                return text if len(text) <= mapping["ignore_above"] else None
            case "integer" | "long":
                return int(float(value))
            case "float":
                return float(value)
            case "ip":
                return address(value)
            case "boolean":
                return value in (True, "true")
            case "date" | "date_nanos":
                return moment(value, mapping.get("format", ""))
            case "text":
                return str(value)
    except (ValueError, TypeError):
        return None
    return None


def address(text: str) -> Address:
    """Give an address; one of IPv4 written as one of IPv6 is the same."""
    found = ipaddress.ip_address(text)
    return getattr(found, "ipv4_mapped", None) or found


def moment(value: Any, form: str) -> float:
    """Give a date as seconds."""
    if form:
        return float(value) / (1000 if form == "epoch_millis" else 1)
    return datetime.fromisoformat(value).timestamp()


class Page:
    """The file of a page, and the documents that it is about."""

    def __init__(self, name: str, documents: Iterable[Document]) -> None:
        written = yaml.safe_load((PAGES / f"{name}.yaml").read_text())
        self.documents = list(documents)
        self.panels = {panel["title"]: panel for panel in written["panels"]}
        self.searches = (
            {search["title"]: search for search in written["searches"]}
            if "searches" in written
            else {}
        )
        self._named = written.get("filters", {})

    def seen(self, panel: Mapping[str, Any]) -> list[Document]:
        """Give the documents that a panel or a search is about."""
        return [d for d in self.documents if self._holds(panel.get("filter", {}), d)]

    def counted(self, panel: Mapping[str, Any]) -> dict[tuple[Any, ...], list[Document]]:
        """Give the documents of each bucket, by its keys from the outermost on."""
        found: dict[tuple[Any, ...], list[Document]] = {}
        over_time = panel["kind"] in ("line", "area", "columns")
        by = panel.get("by", [])
        steps = panel.get("steps")
        for document in self.seen(panel):
            keys: list[tuple[Any, ...]] = [()]
            for number, one in enumerate(by if isinstance(by, list) else [by]):
                own = self._keys(one, steps if number == 0 else None, document)
                keys = [(*above, key) for above in keys for key in own]
            if over_time:
                minute = document["@timestamp"][0] // 60 * 60
                keys = [(*above, minute) for above in keys]
            for key in keys:
                found.setdefault(key, []).append(document)
        return found

    def _keys(self, by: Any, steps: list[float] | None, document: Document) -> set[Any]:
        if isinstance(by, dict):
            return {label for label, one in by.items() if self._holds(one, document)}
        values = {str(v) if isinstance(v, ADDRESSES) else v for v in document.get(by, [])}
        if steps is None:
            return values
        return {max((step for step in steps if step <= value), default=None) for value in values}

    def _holds(self, filter_: Any, document: Document) -> bool:
        if isinstance(filter_, str):
            return self._holds(self._named[filter_], document)
        return all(self._member(key, its, document) for key, its in filter_.items())

    def _member(self, key: str, its: Any, document: Document) -> bool:
        match key:
            case "not":
                return not self._holds(its, document)
            case "any":
                return any(self._holds(one, document) for one in its)
            case "all":
                return all(self._holds(one, document) for one in its)
        values = document.get(key, [])
        if not isinstance(its, dict):
            return any(is_one(v, wanted) for v in values for wanted in listed(its))
        if "exists" in its:
            return bool(values) == its["exists"]
        if "like" in its:
            pattern = re.compile(translate(its["like"]))
            return any(pattern.match(value) for value in values)
        if "words" in its:
            words = {*its["words"].lower().split()}
            return any(words <= {*re.findall(r"\w+", value.lower())} for value in values)
        return any(all(BOUNDS[word](v, bound) for word, bound in its.items()) for v in values)


BOUNDS = {
    "from": lambda value, bound: value >= bound,
    "above": lambda value, bound: value > bound,
    "to": lambda value, bound: value <= bound,
    "below": lambda value, bound: value < bound,
}


def listed(value: Any) -> list[Any]:
    """Give a list, also of a single value."""
    return value if isinstance(value, list) else [value]


def is_one(value: Any, wanted: Any) -> bool:
    """Say whether a value is the one that is wanted, or in the network."""
    if isinstance(value, ADDRESSES):
        return value in ipaddress.ip_network(wanted, strict=False)
    return bool(value == wanted)


def measured(kind: str, field: str, documents: Iterable[Document]) -> Any:
    """Say of documents what a measure says; of percentiles, all values in their order."""
    values = [value for document in documents for value in document.get(field, [])]
    match kind:
        case "distinct":
            return len({*values})
        case "percentiles":
            return sorted(values)
        case "sum":
            return sum(values)
    if not values:
        return None
    return {"average": sum(values) / len(values), "max": max(values), "min": min(values)}[kind]
