"""Keep an order, and log that it came."""

import json
import os
import uuid
from typing import Any

import boto3

s3 = boto3.client("s3")


def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer a request of the API with the order's id."""
    order = str(uuid.uuid4())
    s3.put_object(
        Bucket=os.environ["ORDER_BUCKET"], Key=f"orders/{order}.json", Body=event["body"].encode()
    )
    print(json.dumps({"message": "order taken", "order": order}))
    return {"statusCode": 201, "body": json.dumps({"order": order})}
