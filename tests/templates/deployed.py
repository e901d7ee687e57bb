"""Write the scenarios as stacks with all that is optional have them, for tools that decide no If.

`python -m tests.templates.deployed FOLDER`
"""

import json
import sys
from pathlib import Path

from tests.templates.expansion import SCENARIOS, decide

EVERYTHING = {
    "KmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/1",
    "SubnetIds": "subnet-1",
    "SecurityGroupIds": "sg-1",
    "ObjectEvents": "SNS",
    "DeleteAfterDays": "90",
    "LogGroupPrefix": "/aws/lambda/",
    "RealtimeSamplingPercent": "1",
    "DomainPublishesLogs": "true",
}


def main(folder: Path) -> None:
    """Write a file for each scenario; examples are what somebody else has beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCENARIOS:
        resources = decide(name, **EVERYTHING)
        template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
        (folder / f"{name.removesuffix('.yaml').replace('/', '.')}.json").write_text(
            json.dumps(template, indent=1)
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
