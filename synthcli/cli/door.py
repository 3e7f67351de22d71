"""The outermost door: turns errors of a command into an exit code and one clear message."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import typer

from synthcli.errors import SynthError

F = TypeVar("F", bound=Callable[..., Any])
BUG, INTERRUPTED = 3, 130


def door(command: F) -> F:
    """Turn errors into exit codes: 1, 4, 5, 6 from SynthError, 3 for a bug, 130 for an interrupt."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        as_json = bool(kwargs.get("as_json"))
        try:
            return command(*args, **kwargs)
        except SynthError as error:
            raise typer.Exit(_say(str(error), error.exit_code, as_json)) from None
        except KeyboardInterrupt:
            raise typer.Exit(_say("interrupted; the same command resumes from here", INTERRUPTED, as_json)) from None
        except BrokenPipeError:  # the reader of stdout is gone
            _discard_stdout()
            raise typer.Exit(0) from None
        except OSError as error:
            raise typer.Exit(_say(*_of_the_disk(error), as_json)) from None
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:  # the one place that catches everything
            raise typer.Exit(_say(_log_bug(error), BUG, as_json)) from None

    return guarded  # type: ignore[return-value]


def outermost(app: Callable[..., Any]) -> int:
    """Run the app and return its exit code; with --json, usage errors are JSON too."""
    _streams()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # warnings of libraries are for programmers; users get our own messages
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except OSError:  # the reader of stdout is gone, or its disk is full; important messages went to stderr
        _discard_stdout()
        return 1
    except Exception as error:
        if not hasattr(error, "format_message"):
            return _say(_log_bug(error), BUG, "--json" in sys.argv)
        error.show()  # type: ignore[attr-defined]
        if "--json" in sys.argv:
            print(json.dumps({"exit_code": 2, "error": error.format_message()}, ensure_ascii=False))
        return 2


def _streams() -> None:
    """Make the standard streams exist and accept every character."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _discard_stdout() -> None:
    """Redirect stdout, which has no reader any more, so that its last flush raises no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(message: str, code: int, as_json: bool) -> int:
    print(f"error: {message}" if code != INTERRUPTED else message, file=sys.stderr)
    if as_json:
        print(json.dumps({"exit_code": code, "error": message}, ensure_ascii=False))
    return code


def _of_the_disk(error: OSError) -> tuple[str, int]:
    from pathlib import Path

    from synthcli.artifacts import files

    if error.errno in files.DISK:
        return str(files.disk_error(Path(error.filename or "the disk"), error)), 1
    return _log_bug(error), BUG


def _log_bug(error: BaseException) -> str:
    """Write the traceback to a file that the user can find; without values of variables, which may be data."""
    from synthcli.artifacts.secret import state_folder
    from synthcli.version import __version__

    text = f"synthcli {__version__}, Python {sys.version}\n" + "".join(traceback.format_exception(error))
    try:
        folder = state_folder() / "bugs"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
        path.write_text(text, encoding="utf-8")
        where = f"a log was written to {path}"
    except OSError:
        where = "no log could be written; it follows\n" + text
    return f"this is a bug in synthcli, not in your spec ({type(error).__name__}); {where}"
