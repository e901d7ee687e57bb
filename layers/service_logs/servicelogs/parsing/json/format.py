"""How a format of JSON records is declared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal, override

from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Format
from servicelogs.parsing.frame import PROMOTED


@dataclass(frozen=True, kw_only=True, eq=False)
class JsonFormat(Format):
    """JSON records, in one array of a document or one after the other."""

    kind: ClassVar[Literal["text", "json", "messages"]] = "json"

    array: str = ""
    """The member that holds the records; empty: there is none, they follow each other."""
    tree: tuple[Field, ...]
    times: tuple[str, ...]
    """Where the record's time is: ISO 8601 in UTC (the first path that is there counts), or one
    member with milliseconds since 1970."""
    ids: tuple[str, ...] = ()
    """Where the record's own id is, if AWS gives it one; else the source's and the record's key."""
    promoted: tuple[str, ...] = ()
    """Members of a free-form field that get a field of their own, under `request`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Our field under `request` → the name, in lower case, of the header that it is taken from."""
    header_list: tuple[str, str] = ("", "")
    """The member, and the member in it, that holds the list of headers (`name` and `value`)."""

    @property
    @override
    def fields(self) -> tuple[Field, ...]:
        own = [(path.rpartition(".")[2], f"`{path}`") for path in self.promoted]
        own += [(name, f"the header `{header}`") for name, header in self.headers.items()]
        return (
            *self.tree,
            *(Field(f"{PROMOTED}.{n}", "keyword", f"{of}, as a field of its own") for n, of in own),
        )

    @cached_property
    def free_form(self) -> tuple[str, ...]:
        """The paths of free-form fields."""
        return tuple(field.name for field in self.tree if field.type == "flat_object")

    @cached_property
    def in_milliseconds(self) -> bool:
        """Whether the time is a number."""
        fields = {field.name: field for field in self.tree}
        return fields[self.times[0]].date_format == "epoch_millis"
