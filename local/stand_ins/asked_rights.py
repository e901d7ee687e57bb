"""Writes down which right each role is asked for, and whether its own policies give it.

What the emulator lists as CloudTrail leaves out what is denied, and what services do by roles.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.stand_ins.identities import owner

FILE = "ASKED_RIGHTS_FILE"
"""The variable that names the file: a line of JSON for each right that is asked for."""


def written_down(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    """Decide as IAM does, and write down what a role's own policies say."""
    file = Path(os.environ[FILE])

    def evaluate_and_write(context: Any, *policies: Any) -> Any:
        result = evaluate(context, *policies)
        # The resource's policy, if it has one, is looked at next, for the same request.
        is_first = not hasattr(context, "is_written_down")
        is_right = context.action != "sts:AssumeRole"
        if is_first and is_right and context.principal_type == "AssumedRole":
            context.is_written_down = True
            line = {
                "role": context.principal_arn.split("/")[1],
                "action": context.action,
                "resource": context.resource_arn,
                "owner": owner(context),
                "given": result.decision == "Allow",
            }
            with file.open("a") as lines:
                lines.write(json.dumps(line) + "\n")
        return result

    return evaluate_and_write
