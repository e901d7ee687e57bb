"""The command line: `servicelogs formats`, `servicelogs parse`, `servicelogs explain`."""

import sys

from servicelogs.command_line.main import main

if __name__ == "__main__":
    sys.exit(main())
