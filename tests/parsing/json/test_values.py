from servicelogs import formats
from servicelogs.parsing.json.values import decode, promoted_of, strings_at

TOO_LARGE = b"1e400"


def test_a_number_that_no_double_holds_is_not_a_string() -> None:
    event = decode(b'{"eventID":%b,"requestParameters":{"key":%b}}' % (TOO_LARGE, TOO_LARGE))
    headers = b'{"name":"host","value":%b},{"name":"Host","value":"a.example"}' % TOO_LARGE
    request = decode(b'{"httpRequest":{"headers":[%b]}}' % headers)

    assert [*strings_at(event, ("eventID",))] == []
    assert promoted_of(event, formats.get("cloudtrail")) == {}
    assert promoted_of(request, formats.get("waf")) == {"host": "a.example"}
