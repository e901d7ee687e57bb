"""An invocation's log has all of its lines, however long the machine takes to hand them on."""

import queue
import threading
import time
from types import SimpleNamespace

import pytest
from ministack.core import lambda_runtime

from local.stand_ins import function_logs


def test_lines_that_come_late_are_in_their_own_invocations_log() -> None:
    worker = SimpleNamespace(_stderr_queue=queue.Queue())

    def write() -> None:
        for line in ("first", "last", function_logs._END, "of the next invocation"):
            worker._stderr_queue.put(line)
            time.sleep(0.05)

    writing = threading.Thread(target=write)
    writing.start()
    assert function_logs.read_to_the_end(worker, idle_confirm=0.005) == "first\nlast"
    writing.join()
    assert worker._stderr_queue.get_nowait() == "of the next invocation"


def test_a_process_that_was_killed_is_not_waited_for_long() -> None:
    worker = SimpleNamespace(_stderr_queue=queue.Queue())
    worker._stderr_queue.put("the last words")
    assert function_logs.read_to_the_end(worker) == "the last words"


def test_the_end_is_written_before_the_answer() -> None:
    script = function_logs.ending(lambda_runtime._PYTHON_WORKER_SCRIPT)
    compile(script, "worker", "exec")
    assert script.index(function_logs._END) < script.rindex("_real_stdout.flush()")
    with pytest.raises(ValueError, match="another one"):
        function_logs.ending("print(1)")
