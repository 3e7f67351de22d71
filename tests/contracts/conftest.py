"""Makes tables.py importable as `hostile_tables`: with importlib's import mode, tests do not see their neighbours."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_spec = importlib.util.spec_from_file_location("hostile_tables", Path(__file__).with_name("tables.py"))
assert _spec is not None and _spec.loader is not None
sys.modules["hostile_tables"] = _module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
