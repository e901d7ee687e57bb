"""What is remembered is made once, and never too much of it."""

from servicelogs.parsing.cache import Cache


def test_a_value_is_made_once() -> None:
    made: list[int] = []
    cache = Cache(lambda key: made.append(key) or key * 2, 10)
    assert [cache[3], cache[4], cache[3]] == [6, 8, 6]
    assert made == [3, 4]


def test_it_holds_no_more_than_it_may_and_says_when_it_forgets() -> None:
    forgotten: list[int] = []
    cache = Cache(str, 3, forgotten=lambda: forgotten.append(1))
    for key in range(8):
        assert cache[key] == str(key)
        assert len(cache) <= 3
    assert forgotten == [1, 1]
    assert {*cache} == {6, 7}


def test_keys_count_by_their_weight() -> None:
    cache = Cache(str.upper, 10, weight=len)
    for key in ("aaaa", "bbbb", "cc", "d"):
        assert cache[key] == key.upper()
    assert {*cache} == {"d"}


def test_what_cannot_be_made_is_not_remembered() -> None:
    tries: list[str] = []

    def make(key: str) -> int:
        tries.append(key)
        return int(key)

    cache = Cache(make, 3)
    for _ in range(2):
        try:
            cache["x"]
        except ValueError:
            continue
    assert tries == ["x", "x"]
    assert not cache
