"""Every error of ours, so that its class says what a caller can do."""


def one_line(text: str) -> str:
    """Give a text on one line: what would end the line, or move a terminal's cursor, is escaped."""
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()


class ServiceLogsError(Exception):
    """The root of the tree: something went wrong that we know by name.

    Messages quote keys and records, which others write; Lambda's runtime and the command line print
    them as they are.
    """

    def __str__(self) -> str:
        """Give the message on one line."""
        return one_line(super().__str__())


class UnexpectedError(ServiceLogsError):
    """Another library's error, whose text would have gone over several lines."""


class ConfigurationError(ServiceLogsError):
    """A setting is missing or makes no sense; the message says which, and what it must be."""


class PanelMistake(ServiceLogsError):
    """A file of panels says what cannot be drawn; the message says where, and what to write."""


class UnknownLogType(ServiceLogsError):
    """No format has this name, or none recognises this object."""


class OutsidePrefix(ServiceLogsError):
    """An account-level subscription sent events of a log group that this deployment leaves out."""


class UnreadableObject(ServiceLogsError):
    """The object's bytes cannot be read as what they claim to be; reading it again will not help.

    What could be read before has been given out; `tail` is the unfinished record after it, and
    `number` is that record's.
    """

    tail: bytes = b""
    number: int = 0


class ParquetFile(UnreadableObject):
    """The object is a Parquet file, and whoever met it reads only text."""


class UnreadableMessage(ServiceLogsError):
    """A queue message is not a notification that we know."""


class ForeignBucket(UnreadableMessage):
    """A queue message names a bucket of an account whose logs are not read here."""


class UnreadableEvent(ServiceLogsError):
    """A function was invoked with an event that is not its own; the message names what is wrong."""


class OverlappingNotification(ServiceLogsError):
    """Somebody else's notification of the bucket already takes some of the same objects."""


class UnmergeablePolicy(ServiceLogsError):
    """A bucket's policy cannot take our statements beside those of others."""


class RefusedSubscription(ServiceLogsError):
    """A log group has as many subscription filters as it may; the message names them."""


class DeliveryError(ServiceLogsError):
    """Records could not be delivered now; nothing is lost while the message stays in its queue."""


class TryLater(DeliveryError):
    """The search engine is busy or out of reach: the same records may pass later."""


class ClusterNeedsFixing(DeliveryError):
    """The search engine refuses everything until somebody acts; the message says what to do."""


class UnknownRefusal(DeliveryError):
    """The search engine refuses some records for a reason that no rule knows; others may pass."""


class NotReached(ServiceLogsError):
    """There was no time for a record of a stream: it comes again, and nothing is wrong with it."""


class EveryItemFailed(ServiceLogsError):
    """No item of the event could be worked: the message gives each reason."""


class NoProgress(ServiceLogsError):
    """All time of an attempt did not suffice for one record; that of the next one may."""


class OutOfTime(ServiceLogsError):
    """The time is over while a source is read, or a request carried out; what was done counts."""


class ObjectGone(ServiceLogsError):
    """An object was deleted, or replaced by other bytes, before it was read: nothing to do."""


class ObjectReplaced(ServiceLogsError):
    """An object has other bytes than a moment ago: what was read of it counts no more."""


class ObjectUnreachable(ServiceLogsError):
    """An object cannot be fetched now (forbidden, archived, throttled); its message comes again."""


class ObjectNotConverted(ServiceLogsError):
    """An object keeps its batch from being converted; the others of a smaller batch may pass."""


class UnreadableDocument(ServiceLogsError):
    """What one step wrote for another is missing or damaged; the message says where."""


class UnmergeableFile(ServiceLogsError):
    """A file of a partition is none that the lake's functions write; the message names it."""


class Unaccounted(ServiceLogsError):
    """The counts of an object do not add up: a fault of ours, never to be taken for success."""


class LeaseBusy(ServiceLogsError):
    """Another execution works on the table, or took it over: try again when it is done."""


class CatalogError(ServiceLogsError):
    """Glue does not take what it is told of a partition; the message says what to do."""


class AwsError(ServiceLogsError):
    """AWS does not answer a question about the lake; the message says why."""
