"""Pages written by another process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import synthcli
from synthcli.artifacts.store import Version

SCRIPT = """
import sys
from pathlib import Path
from synthcli.artifacts.store import Version
from synthcli.report import html
html.write(Version(Path(sys.argv[1])), Path(sys.argv[2]))
"""


def written_elsewhere(version: Version, path: Path) -> Path:
    """The page as another process writes it, where strings hash differently."""
    env = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(Path(synthcli.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", SCRIPT, str(version.folder), str(path)], check=True, env=env)
    return path
