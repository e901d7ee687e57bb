"""A log format with a field of every type, for claims about mappings that hold for all formats."""

from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Format


class MadeUp(Format):
    """A format of which only the declaration is used."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """Return one field of each type."""
        return (
            Field("verb", "keyword"),
            Field("hosts[]", "keyword"),
            Field("user_agent", "keyword"),
            Field("status", "integer"),
            Field("bytes", "long"),
            Field("seconds", "float"),
            Field("client_ip", "ip"),
            Field("sourceIPAddress", "address"),
            Field("created", "timestamp"),
            Field("start", "timestamp", date_format="epoch_second"),
            Field("readOnly", "boolean"),
            Field("userIdentity.arn", "keyword"),
            Field("userIdentity.sessionContext", "flat_object"),
            Field("requestParameters", "flat_object"),
            Field("headers[].name", "keyword"),
            Field("headers[].value", "keyword", indexed=False),
        )


def made_up(**changed: object) -> Format:
    """Return the format, or one that differs in what is given."""
    declared = {
        "name": "made_up",
        "title": "Made up",
        "page": "https://example.com/",
        "keys": (),
        "service_principal": "example.com",
        "common": {
            "source.ip": "sourceIPAddress.ip",
            "source.address": "sourceIPAddress",
            "user_agent.original": "user_agent",
            "client.ip": "client_ip",
            "http.request.method": "verb",
            "http.response.status_code": "status",
            "event.start": "start",
            "user.name": "userIdentity.arn",
            "free.form": "requestParameters",
            "nowhere": "gone",
        },
    }
    return MadeUp(**{**declared, **changed})  # type: ignore[arg-type]
