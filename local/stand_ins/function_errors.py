"""A function that raises keeps its process, in which the next invocation goes on.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
The emulator ends the process of each error, and what comes next is a cold start.
"""

from collections.abc import Callable, Mapping
from typing import Any

RAISED = "raised in the local stack"
_ENDS = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
_GOES_ON = (
    f'{{"status": "ok", "result": {{"{RAISED}": '
    '{"error": str(e), "trace": traceback.format_exc()}}}'
)


def going_on(script: str) -> str:
    """Have the process that runs a function say what was raised as a result, which ends nothing."""
    if script.count(_ENDS) != 1:
        raise ValueError("the emulator's script that runs functions is another one: look at it")
    return script.replace(_ENDS, _GOES_ON)


def as_errors(invoke: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Have an invocation answer with an error what was raised."""

    def invoke_and_look(*arguments: Any, **options: Any) -> dict[str, Any]:
        response = invoke(*arguments, **options)
        result = response.get("result")
        if isinstance(result, Mapping) and RAISED in result:
            return {**response, "result": None, "status": "error", **result[RAISED]}
        return response

    return invoke_and_look
