"""Imports point one way, heavy packages wait until they are needed, only the CLI prints, only its door catches
everything.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import synthcli
from synthcli import plugins

ROOT = Path(synthcli.__file__).parent
ORDER = (  # from the ground up: a room imports from its own level and from those below
    {"errors", "seeds", "version", "combining", "wording"},
    {"contracts"},
    {"artifacts", "plugins"},
    {"columns"},
    {"packages", "sources", "privacy", "nets"},
    {plugins.GROUND},
    set(plugins.modalities()) - {plugins.GROUND},
    {"spec"},
    {"init", "report"},
    {"release"},
    {"pipeline"},
    {"cli", "__main__"},
)
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
HEAVY = ("numpy", "pandas", "torch", "sdv", "sklearn", "scipy", "pyarrow", "duckdb", "faker", "statsmodels", "pydantic")
LAZY = ("torch", "sdv", "sklearn", "scipy", "duckdb", "faker", "statsmodels")  # what a plugin imports when it works
KINDS = ("methods", "metrics", "attacks")
PLUGINS = [
    f"synthcli.{modality}.{kind}.{name}"
    for modality in plugins.modalities()
    for kind in KINDS
    for name in plugins.names(kind, modality)
]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(p): p for p in sorted(ROOT.rglob("*.py"))}
each_module = pytest.mark.parametrize("module", [m for m in MODULES if m != "synthcli"])


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imports(module: str) -> set[str]:
    """The modules of the package that a module imports, wherever in its text; `from synthcli import x` is
    synthcli.x.
    """
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found |= {
                f"{node.module}.{a.name}" if f"{node.module}.{a.name}" in MODULES else str(node.module)
                for a in node.names
            }
    return {name for name in found if name.startswith("synthcli.")}


def room(module: str) -> str:
    return module.split(".")[1]


@each_module
def test_every_room_has_its_place_in_the_order(module: str) -> None:
    assert room(module) in LEVEL


@each_module
def test_imports_point_one_way(module: str) -> None:
    wrong = {name for name in imports(module) if LEVEL[room(name)] > LEVEL[room(module)]}
    assert not wrong


@each_module
def test_a_modality_imports_no_other_than_it_builds_on(module: str) -> None:
    if room(module) in plugins.modalities():
        others = set(plugins.modalities()) - plugins.bases(room(module))
        assert not {name for name in imports(module) if room(name) in others}


@pytest.mark.parametrize("module", PLUGINS)
def test_a_plugin_imports_no_sibling(module: str) -> None:
    assert not [
        name for name in imports(module) if name.split(".")[2:3] and name.split(".")[2] in KINDS and name != module
    ]


@each_module
def test_only_the_plugin_of_a_modality_is_known_to_the_loop(module: str) -> None:
    """pipeline/ imports no modality at all; report/ reads run folders."""
    if room(module) in ("pipeline", "report", "cli"):
        assert not {name for name in imports(module) if room(name) in plugins.modalities()}


def test_no_imports_in_a_circle() -> None:
    """Imports inside functions and for type checkers count as well."""
    graph = {m: imports(m) & MODULES.keys() for m in MODULES}
    while leaves := [m for m, needs in graph.items() if not needs & (graph.keys() - {m})]:
        for leaf in leaves:
            del graph[leaf]
    assert not graph


@each_module
def test_only_the_cli_prints(module: str) -> None:
    calls = [n for n in ast.walk(tree(module)) if isinstance(n, ast.Call)]
    printed = [c.lineno for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"]
    shown = [c.lineno for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == "print"]
    if room(module) == "cli":
        return
    if module == "synthcli.report.terminal":
        show = next(n for n in tree(module).body if isinstance(n, ast.FunctionDef) and n.name == "show")
        shown = [line for line in shown if not show.lineno <= line <= (show.end_lineno or 0)]
    assert not printed and not shown


@each_module
def test_only_the_door_catches_everything(module: str) -> None:
    """`except BaseException` may tidy up, if it raises again."""
    for handler in [n for n in ast.walk(tree(module)) if isinstance(n, ast.ExceptHandler)]:
        names = {n.id for n in ast.walk(handler.type) if isinstance(n, ast.Name)} if handler.type else {"Exception"}
        if "Exception" in names:
            assert module == "synthcli.cli.door", f"line {handler.lineno}"
        if "BaseException" in names:
            assert isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None, f"line {handler.lineno}"


def loaded_after(code: str, packages: tuple[str, ...]) -> list[str]:
    """Which packages a fresh process has imported after some code."""
    script = (
        f"import sys, json\n{code}\nprint(json.dumps([p for p in {packages!r} if p in sys.modules]), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT.parent)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr.splitlines()[-1])


@pytest.mark.parametrize(
    "command",
    [[], ["--help"], ["run", "--help"], ["runs", "--help"], ["--version"]],
    ids=lambda c: " ".join(c) or "import",
)
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    code = "import synthcli.cli.main, synthcli.__main__"
    if command:
        code += (
            f"\nsys.argv = ['synth', *{command!r}]\ntry:\n    synthcli.__main__.main()\nexcept SystemExit as end:\n   "
            " assert not end.code"
        )
    # typer itself needs pydantic for the help of a command with options
    allowed = {"pydantic"} if len(command) > 1 else set()
    assert set(loaded_after(code, HEAVY)) <= allowed


def test_plugins_can_be_imported_without_their_packages() -> None:
    """All of them with every heavy package made impossible to import."""
    block = (
        f"for p in {LAZY!r}: sys.modules[p] = None\nimport importlib\nfor m in {PLUGINS!r}:"
        " importlib.import_module(m).__name__"
    )
    assert loaded_after(block, tuple(PLUGINS)) == list(PLUGINS)
