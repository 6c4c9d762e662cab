"""What the tests of online searches share is in a module beside them: `online_runs`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
