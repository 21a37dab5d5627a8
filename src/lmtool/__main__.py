"""``python -m lmtool``."""

import sys

from lmtool.cli.app import main

sys.exit(main())
