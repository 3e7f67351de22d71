"""Makes the benches importable as `tests.benchmarks`, however pytest was started."""

from __future__ import annotations

import sys
from pathlib import Path

TOP = str(Path(__file__).parents[2])
if TOP not in sys.path:
    sys.path.insert(0, TOP)
