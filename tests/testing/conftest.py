"""The toy classes are imported by name here and in worker processes, which copy sys.path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
