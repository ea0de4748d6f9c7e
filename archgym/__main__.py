"""``python -m archgym`` is the command line."""

import sys

from archgym.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
