"""CloudFormation's answer is sent whatever else of the package can be imported."""

import subprocess
import sys
from pathlib import Path

LAYER = Path(__file__).parents[2] / "layers" / "service_logs"


def test_the_answer_needs_nothing_but_the_standard_library():
    # Without site-packages: as if every wheel of the layer were for another processor.
    ran = subprocess.run(
        [sys.executable, "-S", "-c", "import servicelogs.custom_resource"],
        env={"PYTHONPATH": str(LAYER)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
