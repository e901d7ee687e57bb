"""A log format for claims about columns that hold for all formats."""

from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Format


class MadeUp(Format):
    """A format of the fields that a test gives it."""

    kind = "text"

    def __init__(self, *fields: Field) -> None:
        super().__init__(name="made_up", title="", page="", keys=(), service_principal="")
        object.__setattr__(self, "_fields", fields)

    @property
    def fields(self) -> tuple[Field, ...]:
        return self._fields  # type: ignore[attr-defined]
