"""``python -m funcgrad`` is the command ``funcgrad``."""

import sys

from funcgrad.cli import main

if __name__ == "__main__":
    sys.exit(main())
