"""What a function writes during an invocation is in the log when the invocation ends.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
The emulator stops reading after five milliseconds without a line: on a busy machine the last lines
came with the function's next invocation, which may be a minute later.
"""

import queue
import time
from typing import Any

_END = "the log of this invocation ends here"
_ANSWERS = "        _real_stdout.flush()\n"
# A process that was killed has no last line.
_MOST_SECONDS = 1.0


def ending(script: str) -> str:
    """Have the process that runs a function say where an invocation's log ends."""
    before, answers, after = script.rpartition(_ANSWERS)
    if not answers:
        raise ValueError("the emulator's script that runs functions is another one: look at it")
    says = f'        sys.stderr.write("{_END}\\n")\n        sys.stderr.flush()\n'
    return before + says + answers + after


def read_to_the_end(worker: Any, **_: float) -> str:
    """Read what an invocation wrote."""
    lines: list[str] = []
    until = time.monotonic() + _MOST_SECONDS
    while (left := until - time.monotonic()) > 0:
        try:
            line = worker._stderr_queue.get(timeout=left)
        except queue.Empty:
            break
        if line == _END:
            break
        lines.append(line)
    return "\n".join(lines)
