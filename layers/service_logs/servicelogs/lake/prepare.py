"""Choose what an attempt at a conversion wrote as that which is published."""

from servicelogs.lake import names
from servicelogs.lake.deployment import Lake
from servicelogs.lake.ledger import State
from servicelogs.lake.manifests import Outputs


def prepare(lake: Lake, outputs: Outputs) -> State:
    """Write the list of an attempt's outputs, last of them, and choose it; say how the batch is.

    If it is no longer open, another attempt was chosen, or it is being split: the outputs are
    garbage, which is deleted when the batch is done.
    """
    outputs.check()
    key = names.outputs_key(outputs.batch, outputs.attempt)
    lake.staging.write(key, outputs)
    if lake.ledger.prepare(outputs.batch, outputs.attempt, key, outputs.tables()):
        return State.PREPARED
    batch = lake.ledger.batch(outputs.batch)
    return batch.state if batch else State.DONE
