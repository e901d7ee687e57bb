"""Records: given as lines or as a list, they are the same to whoever reads them."""

from hypothesis import given
from hypothesis import strategies as st

from servicelogs.records import Block, Records, Reject

lines = st.lists(st.binary(max_size=5).filter(lambda line: b"\n" not in line), min_size=1)


@given(items=lines, first=st.integers(1, 2000))
def test_a_text_of_lines_is_the_list_of_its_lines(items: list[bytes], first: int) -> None:
    of_text, of_list = Records(first, text=b"\n".join(items)), Records(first, items)

    assert of_text.items == of_list.items == items
    assert of_text.text == of_list.text
    assert len(of_text) == len(of_list) == len(items)
    assert [*of_text.numbers()] == [*of_list.numbers()] == [*range(first, first + len(items))]
    assert of_text.end == of_list.end == first + len(items)


def test_a_record_is_found_by_its_number_without_the_end_of_its_line() -> None:
    records = Records(7, text=b"a\r\nb\nc")

    assert [records.raw(number) for number in (7, 8, 9)] == [b"a", b"b", b"c"]


def test_the_number_is_the_key_unless_the_source_has_keys() -> None:
    assert Records(7, [b"a", b"b"]).key(8) == "8"
    assert Records(7, [b"a", b"b"], keys=[b"event-1", b"event-2"]).key(8) == "event-2"


def test_every_record_of_a_block_is_counted_once() -> None:
    block = Block(1, 8, b"", 3, lambda number: b"", {"expired": 2, "rule": 1})
    block.rejects.append(Reject(7, "too_long", "why", b""))
    assert block.records == 7
