"""Make the lake's tables when the stack is created or updated.

A custom resource. Deleting it deletes nothing: the tables say where the user's files are.
"""

import platform
from typing import Any

from servicelogs import cloudformation
from servicelogs.log_lines import start_logging

logger = start_logging()

Event = dict[str, Any]


def lambda_handler(event: Event, _context: Any) -> None:
    """Carry out the request, and answer CloudFormation whatever happens."""
    try:
        if event["RequestType"] == "Delete":
            logger.info("nothing was deleted: the tables stay")
        else:
            logger.info("tables in place", extra={"names": set_up()})
    except ImportError as error:
        logger.exception("a layer cannot be imported")
        cloudformation.fail(
            event,
            f"the layers do not run on {platform.machine()} ({error}): "
            "build again with ARCHITECTURE as the parameter Architecture says",
        )
    except Exception as error:
        logger.exception("the lake was not set up")
        cloudformation.fail(event, f"the lake was not set up: {type(error).__name__}: {error}")
    else:
        cloudformation.succeed(event)


def set_up() -> list[str]:
    """Make the tables; refuse settings that the other functions would refuse."""
    # Here, so that a layer that cannot be imported is answered.
    import boto3

    from servicelogs.lake.tables import make_tables
    from servicelogs.settings import LakeSettings, LogSettings, read_settings

    read_settings(LogSettings)
    lake = read_settings(LakeSettings)
    return make_tables(boto3.client("glue"), lake.glue_database, lake.lake_bucket, lake.log_types)
