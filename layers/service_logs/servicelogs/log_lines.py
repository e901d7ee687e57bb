"""The log lines of our functions: JSON in ASCII, one line each, whatever is in a key or an error.

Only our own loggers follow the parameter LogLevel: those of the AWS SDK write requests and answers
at DEBUG, with passwords and tokens. The standard library alone (beside the errors), so that a
function can log that nothing else can be imported.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from servicelogs.errors import UnexpectedError

# What a record of logging has anyway; the rest is what the call gave as `extra`.
_OF_EVERY_RECORD = {*vars(logging.makeLogRecord({})), "message"}


def as_line(fields: Mapping[str, Any]) -> str:
    """Write fields as one line that nothing in them can end."""
    return json.dumps(fields, default=str)


def fail_on_one_line[**Arguments, Answer](
    handler: Callable[Arguments, Answer],
) -> Callable[Arguments, Answer]:
    """Let no error leave a handler whose text ends the line that the runtime prints of it."""

    @wraps(handler)
    def handle(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        try:
            return handler(*arguments, **named)
        except Exception as error:
            if str(error).isprintable():
                raise
            raise UnexpectedError(f"{type(error).__name__}: {error}") from error

    return handle


def start_logging() -> logging.Logger:
    """Have the package's own loggers write to standard output, from the function's level on."""
    logger = logging.getLogger("servicelogs")
    logger.setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO"))
    logger.handlers = [_Lines()]
    # The root's handler is the runtime's, which would write each line again.
    logger.propagate = False
    return logger


class _Lines(logging.Handler):
    """Writes lines of the names that Powertools' have, which the other functions write."""

    def emit(self, record: logging.LogRecord) -> None:
        fields = {
            "level": record.levelname,
            "location": f"{record.funcName}:{record.lineno}",
            "message": record.getMessage(),
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "service": os.environ.get("POWERTOOLS_SERVICE_NAME", ""),
        }
        fields |= {
            name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD
        }
        if record.exc_info:
            fields["exception"] = logging.Formatter().formatException(record.exc_info)
        sys.stdout.write(f"{as_line(fields)}\n")
