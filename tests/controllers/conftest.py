"""What the tests of controllers share is in modules beside them: `spaces` and `toy`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
