"""The engine over memory, as the tests of the protocol have it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "oidc"))
