"""Let the pages import the modules that stand beside them, as a user does with own files."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# Settings of sphinx, and what sphinx has made.
collect_ignore = ["_build", "auto_examples", "conf.py", "generated"]
