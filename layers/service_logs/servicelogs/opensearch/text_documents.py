"""Prints the documents of lines: for each shape one template, which takes the groups of a pattern.

The block that the lines are of was made safe for JSON as a whole, so that a value is printed
between quotes as it is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

from servicelogs.opensearch.encoder import DocumentEncoder
from servicelogs.opensearch.frames import MOST_ID_BYTES
from servicelogs.parsing.text.columns import Group
from servicelogs.parsing.text.layout import EXTRA, Layout, unknown_columns
from servicelogs.parsing.text.parser import Row
from servicelogs.parsing.text.patterns import ABSENT, Pattern, Shape

type Convert = Callable[[list[bytes], int], bytes]
"""Makes of all groups of a line the value that is printed in place of one."""


@dataclass(frozen=True, slots=True)
class Printer:
    """Prints the lines of one shape from the groups of a pattern.

    Its attributes are read for each line: those of slots are quicker to get than a tuple's names.
    """

    templates: tuple[bytes, bytes]
    """For records whose number is their key, and for those that have a key. Each takes the frame
    and then all groups; `%.0b` swallows those not shown."""
    conversions: tuple[tuple[int, Convert], ...]
    time_at: int
    """The group that finds the frame; -1: there is none."""
    rest_at: int
    """The group with the rest of the time; -1: there is none."""
    quotes: int
    """So many quotes a line has that may be printed so; -1: none may, another pattern decides."""
    place: Callable[[Sequence[bytes]], tuple[bytes, ...]]
    """Gives the values that name the record's account and Region."""
    own_id: Callable[[Sequence[bytes]], bytes] | None
    """Gives the record's own id, behind a quote, if it has one; empty: it is too long for one."""


class TextDocuments(DocumentEncoder):
    """The documents of one source's lines."""

    def write(self, layout: Layout[Printer], rows: Iterator[Row]) -> Row | None:
        """Append documents until a line does not match; give that row, or None at the end.

        Written for the machine: about four calls into C for a line.
        """
        body, documents, expired = self._body, 0, 0
        odd = None
        absent, mark = ABSENT, layout.mark
        frames, times = self._frames, layout.times
        frames_of_place, by_record = self._frames_of_place, self._by_record
        keyed = self._records.keys is not None
        without_time, dated_by = self._time_of_source, self._records.hour
        shapes = layout.shapes
        usual = shapes.usual
        match_usual, markers, printers = usual.match, usual.markers, usual.plans
        for row in rows:
            number, key, line = row
            match = match_usual(line)
            if match is not None:
                values = match.groups(absent)
                printer = printers[tuple([values[at] is absent for at in markers])]
            if match is None or line.count(mark) != printer.quotes:
                match = shapes.general.match(line)
                if match is None:
                    odd = row
                    break
                values = match.groups(absent)
                printer = shapes.learn(values)
                usual = shapes.usual
                match_usual, markers, printers = usual.match, usual.markers, usual.plans
            if conversions := printer.conversions:
                values = _convert(values, conversions)
            time_at, rest_at = printer.time_at, printer.rest_at
            try:
                hour, time = times[values[time_at]] if time_at >= 0 else without_time(number)
                hour = hour if dated_by is None else dated_by
                frame = frames_of_place[hour, printer.place(values)] if by_record else frames[hour]
            except (ValueError, OverflowError):
                odd = row
                break
            if frame is None:
                expired += 1
                continue
            rest = values[rest_at] if rest_at >= 0 else b""
            action, template = frame.own_action, printer.templates[keyed]
            if printer.own_id is not None and (own := printer.own_id(values)):
                action, key, template = frame.action, own, printer.templates[True]
            # To add tuples takes half the time of unpacking one into another.
            shown = (action, key, frame.head, number, time, rest) + values  # noqa: RUF005
            body += template % shown
            documents += 1
        self._documents += documents
        self._expired += expired
        return odd


def make_printer(pattern: Pattern[Printer], shape: Shape) -> Printer:
    """Make what prints the lines of a shape."""
    pieces = [_print(group) if group else "%.0b" for _, group in shape.groups]
    conversions: list[tuple[int, Convert]] = [
        (at, partial(_list_items, column.separator.encode()))
        for at, (column, group) in enumerate(shape.groups)
        if group and group.kind == "list"
    ]
    conversions += [
        (at, partial(_converted, group.convert))
        for at, (_, group) in enumerate(shape.groups)
        if group and group.convert
    ]
    taken, time = shape.of_columns(), shape.time
    time_at, rest_at = (*taken[time.name], -1)[:2] if time else (-1, -1)
    if time and time.date:
        conversions.append((time_at, partial(_joined, taken[time.date][0])))
    if extra := _extra(shape):
        last = max(map(max, extra.values()))
        pieces[last] = "%b"
        conversions.append((last, partial(_extra_columns, extra)))
    if shape.rest:
        pieces.append("%b")
        columns, separator = len(pattern.of.columns), pattern.of.notation.separator
        conversions.append((len(shape.groups), partial(_rest_object, columns, separator)))
    elif shape.may_rest:
        pieces.append("%.0b")
    document = "".join((*pieces, "}\n"))
    templates = (
        f'%b%d"}}}}\n%b%d}},"@timestamp":"%b%bZ"{document}'.encode(),
        f'%b%b"}}}}\n%b%d}},"@timestamp":"%b%bZ"{document}'.encode(),
    )
    quotes = -1 if shape.quotes is None else shape.quotes
    place = _values_at([taken[name][0] for name in pattern.of.places if name in taken])
    return Printer(
        templates, tuple(conversions), time_at, rest_at, quotes, place, _own_id(pattern, taken)
    )


def _own_id(
    pattern: Pattern[Printer], taken: dict[str, list[int]]
) -> Callable[[Sequence[bytes]], bytes] | None:
    """Give what puts together the id of a record, if all of its columns have a value."""
    names = pattern.of.ids
    if not names or not all(name in taken for name in names):
        return None
    parts = [taken[name] for name in names]

    def own_id(values: Sequence[bytes]) -> bytes:
        id_ = b"-".join([b"".join([values[at] for at in ats]) for ats in parts])
        return b'"' + id_ if len(id_) <= MOST_ID_BYTES else b""

    return own_id


def _values_at(places: list[int]) -> Callable[[Sequence[bytes]], tuple[bytes, ...]]:
    """Give what takes the values of these groups."""
    match places:
        case []:
            return lambda _: ()
        case [at]:
            return lambda values: (values[at],)
    return itemgetter(*places)


def _extra(shape: Shape) -> dict[str, list[int]]:
    """List the groups of columns that go to `extra_fields`, by the names that they have there."""
    taken = shape.of_columns()
    return {
        field.name.removeprefix(EXTRA): taken[column.name]
        for column, group in shape.groups
        if group and (field := group.field)
        # What is only half a time is not a time, and its name is the other half's too.
        if field.name.startswith(EXTRA) or (field.alias_of and shape.time is None)
    }


def _print(group: Group) -> str:
    """Write the template of a value: `%.0b` takes it and prints nothing."""
    if group.field is None or group.kind == "hidden" or group.field.name.startswith(EXTRA):
        return "%.0b"
    name = f',"{group.field.name}":'
    match group.kind:
        case "number":
            return f"{name}%b"
        case "first":
            return f'{name}["%b"'
        case "last":
            return ',"%b"]'
        case _:
            return f'{name}["%b"]' if group.field.many else f'{name}"%b"'


def _convert(
    groups: tuple[bytes, ...], conversions: tuple[tuple[int, Convert], ...]
) -> tuple[bytes, ...]:
    values = list(groups)
    for at, convert in conversions:
        values[at] = convert(values, at)
    return tuple(values)


def _joined(date_at: int, groups: list[bytes], at: int) -> bytes:
    return b"%bT%b" % (groups[date_at], groups[at])


def _converted(convert: Callable[[bytes], bytes], groups: list[bytes], at: int) -> bytes:
    return convert(groups[at])


def _list_items(separator: bytes, groups: list[bytes], at: int) -> bytes:
    return groups[at].replace(separator, b'","')


def _extra_columns(names: dict[str, list[int]], groups: list[bytes], _: int) -> bytes:
    return _extra_member(
        (name, b"".join([groups[at] for at in ats])) for name, ats in names.items()
    )


def _rest_object(columns: int, separator: str, groups: list[bytes], at: int) -> bytes:
    return _extra_member(unknown_columns(groups[at], separator, columns + 1))


def _extra_member(items: Iterable[tuple[str, bytes]]) -> bytes:
    """Write columns that are not known, those with a value, behind what was printed before."""
    pairs = (
        b'"%b":"%b"' % (name.encode(), value.replace(b'"', b"\\u0022"))
        for name, value in dict(items).items()
        if value not in (b"-", b"")
    )
    members = b",".join(pairs)
    return b',"extra_fields":{%b}' % members if members else b""
