"""Make the lake's tables and named queries when the stack is created or updated.

A custom resource. Deleting it deletes nothing: the tables say where the user's files are, and the
queries go with their workgroup.
"""

from typing import Any

from servicelogs import cloudformation
from servicelogs.log_lines import fail_on_one_line, start_logging

logger = start_logging()

Event = dict[str, Any]


@fail_on_one_line
def lambda_handler(event: Event, context: Any) -> None:
    """Carry out the request, and answer CloudFormation whatever happens."""
    try:
        if event["RequestType"] == "Delete":
            logger.info("nothing was deleted: the tables stay")
        else:
            names = cloudformation.in_time(set_up, context)
            logger.info("tables in place", extra={"names": names})
    except ImportError as error:
        logger.exception("a layer cannot be imported")
        cloudformation.fail_to_import(event, error)
    except Exception as error:
        logger.exception("the lake was not set up")
        cloudformation.fail(event, f"the lake was not set up: {type(error).__name__}: {error}")
    else:
        cloudformation.succeed(event)


def set_up() -> list[str]:
    """Make tables and queries; refuse settings that the other functions would refuse."""
    # Here, so that a layer that cannot be imported is answered.
    import boto3

    from servicelogs.lake.deployment import PATIENCE_IF_THROTTLED
    from servicelogs.lake.named_queries import named_queries, put_queries
    from servicelogs.lake.tables import make_tables
    from servicelogs.settings import (
        BucketSettings,
        LakeSettings,
        LogSettings,
        WorkGroupSettings,
        read_settings,
    )

    read_settings(BucketSettings)
    read_settings(LogSettings)
    lake = read_settings(LakeSettings)
    work_group = read_settings(WorkGroupSettings).name
    glue = boto3.client("glue", config=PATIENCE_IF_THROTTLED)
    made = make_tables(glue, lake.glue_database, lake.lake_bucket, lake.log_types)
    athena = boto3.client("athena", config=PATIENCE_IF_THROTTLED)
    put_queries(athena, work_group, lake.glue_database, named_queries(lake.log_types))
    return made
