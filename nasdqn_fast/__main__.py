"""``python -m nasdqn_fast``."""

import sys

from nasdqn_fast.cli import main

sys.exit(main())
