"""The whole stack on one machine: emulated AWS, a search engine, sample logs."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".local"
"""Everything that a running stack leaves in the checkout: what runs, its logs, its endpoints."""

# The package is a layer of Lambda's: nothing installs it here.
sys.path.append(str(ROOT / "layers" / "service_logs"))
