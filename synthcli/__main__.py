"""`python -m synthcli` and the console script `synth`: the outermost door, so thin that an early interrupt finds it
open.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from synthcli.cli.door import outermost
        from synthcli.cli.main import app

        code = outermost(app)
    except KeyboardInterrupt:  # while modules were still being read
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
