"""`servicelogs panels`: what people look at, for whoever draws it, and what is wrong with it."""

import json
import sys
from collections.abc import Sequence

from servicelogs.opensearch.dashboards.export import export
from servicelogs.opensearch.dashboards.page_files import mistakes, page_files
from servicelogs.opensearch.dashboards.saved_objects import ndjson


def write_panels(
    prefix: str, log_types: Sequence[str], *, as_saved_objects: bool, only_check: bool
) -> int:
    """Write the pages of a deployment, unless their files have mistakes; count those."""
    found = [str(mistake) for mistake in mistakes(page_files())]
    sys.stderr.write("".join(f"{mistake}\n" for mistake in found))
    if not found and not only_check:
        if as_saved_objects:
            sys.stdout.write(ndjson(prefix, log_types).decode())
        else:
            sys.stdout.write(json.dumps(export(prefix, log_types)) + "\n")
        sys.stdout.flush()
    return len(found)
