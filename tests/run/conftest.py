"""What the tests of runs share is in a module beside them: `left_runs`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
