"""Which log type an object has: what the deployment says of its key, else what it tells itself."""

from functools import cache

from servicelogs import formats
from servicelogs.errors import UnknownLogType, UnreadableObject
from servicelogs.formats import START_BYTES, Detected
from servicelogs.parsing.format import Format
from servicelogs.settings import LogSettings


class LogTypes:
    """The types of a deployment's objects.

    What counts, the first that tells: LogType, the longest fitting prefix of LogTypePrefixes, the
    key's own layout, the first bytes. All types are told, also those that are not indexed: their
    objects are passed over by name, and are no unknown ones.
    """

    def __init__(self, settings: LogSettings) -> None:
        self._pinned = settings.log_type
        self._prefixes = sorted(settings.log_type_prefixes.items(), key=lambda pair: -len(pair[0]))
        self._indexed = settings.log_types
        self._cloudfront_fields = settings.cloudfront_fields

    def by_key(self, key: str) -> Detected | None:
        """Tell a type, or why the object is not wanted, before it is read; None if it must be."""
        detected = formats.detect_by_key(key)
        if detected and detected.skip:
            return detected
        if name := self._assigned(key):
            detected = Detected(formats.get(name), "", *formats.place(key, name))
        return self._if_indexed(detected) if detected else None

    def tell(self, key: str, start: bytes, fault: UnreadableObject | None) -> Detected:
        """Tell the type of an object whose text begins so; UnknownLogType if nothing tells.

        What a text with a fault begins with is not looked at: only its key may tell.
        """
        if detected := self.by_key(key):
            tells = bool(detected.skip or self._assigned(key) or fault)
            return detected if tells else self._by_start(key, start)
        if fault:
            raise UnknownLogType(f"the key {key!r} tells no type, and of the text {fault}")
        return self._by_start(key, start)

    def _by_start(self, key: str, start: bytes) -> Detected:
        try:
            return self._if_indexed(formats.detect(key, start[:START_BYTES]))
        except UnknownLogType as error:
            raise UnknownLogType(
                f"{error}; if it is a log, give the beginning of its key in LogTypePrefixes"
            ) from error

    def _assigned(self, key: str) -> str:
        fitting = (name for prefix, name in self._prefixes if key.startswith(prefix))
        return self._pinned or next(fitting, "")

    def _if_indexed(self, detected: Detected) -> Detected:
        if detected.format is None:
            return detected
        name = detected.format.name
        if name not in self._indexed:
            return Detected(None, f"{name} is not among LogTypes")
        if name == "cloudfront" and self._cloudfront_fields:
            return detected._replace(format=_cloudfront(self._cloudfront_fields))
        return detected


@cache
def _cloudfront(fields: tuple[str, ...]) -> Format:
    """Give CloudFront's format for deliveries of these fields without a header.

    Once in a process: it learns from what it reads.
    """
    from servicelogs.formats import cloudfront  # as all formats, imported when it is needed

    return cloudfront.FORMAT.with_default(fields)
