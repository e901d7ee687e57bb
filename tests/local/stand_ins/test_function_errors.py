"""What a function raises is its error, and its process goes on."""

import pytest
from ministack.core import lambda_runtime

from local.stand_ins import function_errors


def test_the_emulators_script_says_what_was_raised_and_ends_nothing():
    script = function_errors.going_on(lambda_runtime._PYTHON_WORKER_SCRIPT)
    compile(script, "worker", "exec")
    assert script.count(function_errors.RAISED) == 1


def test_another_script_is_looked_at_by_somebody():
    with pytest.raises(ValueError, match="look at it"):
        function_errors.going_on("while True: pass")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"status": "ok", "result": {"state": "DONE"}},
            {"status": "ok", "result": {"state": "DONE"}},
        ),
        ({"status": "ok", "result": None}, {"status": "ok", "result": None}),
        (
            {"status": "error", "error": "Worker process died"},
            {"status": "error", "error": "Worker process died"},
        ),
        (
            {
                "status": "ok",
                "result": {function_errors.RAISED: {"error": "no", "trace": "at"}},
                "log": "a",
            },
            {"status": "error", "result": None, "error": "no", "trace": "at", "log": "a"},
        ),
    ],
)
def test_what_was_raised_is_an_error_and_all_else_stays_as_it_is(answer, expected):
    assert function_errors.as_errors(lambda *_, **__: dict(answer))("event") == expected
