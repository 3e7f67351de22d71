"""YAML 1.2 core with line numbers: `yes` and `on` are words, 1e-5 is a number, dates are words, a duplicate key is an
error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from synthcli.errors import SpecError, did_you_mean

Path_ = tuple[str | int, ...]  # keys and list positions from the root of the document
MAX_BYTES = 1_000_000
MAX_NODES = 50_000  # with aliases expanded: a small file can expand to billions
MAX_DEPTH = 40


@dataclass(frozen=True)
class Document:
    """Plain values with the line of each key. where: the file's name as the user wrote it."""

    data: Any
    lines: dict[Path_, int | str]  # a line of the file, or the option that set the key
    where: str
    text: str = ""

    def at(self, path: Path_) -> str:
        """`file:line` of the nearest key above or at a path."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                found = self.lines[path[:end]]
                return found if isinstance(found, str) else f"{self.where}:{found}"
        return self.where


_FLOAT = r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
_CORE = (
    ("tag:yaml.org,2002:null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("tag:yaml.org,2002:int", r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    ("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789.")),
)  # fmt: skip


_PLAIN = frozenset({"str", "null", "bool", "int", "float", "map", "seq"})


class _Loader(yaml.SafeLoader):
    """Resolve plain scalars by the core schema alone."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the attribute of the base class


for _tag, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), _first)


def read(path: Path, where: str | None = None) -> Document:
    """Read the document in a file. Raises SpecError with the line if it is not a single plain YAML document."""
    text = read_text(path, most=MAX_BYTES, kind="spec")
    return parse(text, where or str(path))


def read_text(path: Path, *, most: int, kind: str) -> str:
    """The text of a file of at most `most` bytes. Raises SpecError for another file, or one that is no text. kind: what
    the file holds, for the message.
    """
    try:
        if not path.is_file():  # a pipe or a device would never end
            raise SpecError(_no_file(path, kind))
        with open(path, "rb") as file:
            raw = file.read(most + 1)
    except (OSError, ValueError) as error:
        raise SpecError(f"{str(path)[:200]!r} cannot be read ({error}); remedy: the path of a {kind} file") from None
    if len(raw) > most:
        raise SpecError(f"{path} is larger than a {kind} file can be ({most:,} bytes); is this a data file?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"{path} is not UTF-8 text (byte {error.start}); remedy: the path of a {kind} file") from None


def _no_file(path: Path, kind: str) -> str:
    """Why a path is not that of a file."""
    if path.is_dir():
        return f"{path} is a folder; remedy: the path of a {kind} file"
    if path.exists():
        return f"{path} is not a regular file; remedy: the path of a {kind} file"
    if kind != "spec":
        return f"{path} does not exist; remedy: the path of a {kind} file"
    near = did_you_mean(path.name, (p.name for pattern in ("*.yaml", "*.yml") for p in path.parent.glob(pattern)))
    return f"{path} does not exist; remedy: the path of a spec file, or `synth init DATA` to write one.{near}"


def parse(text: str, where: str = "spec") -> Document:
    """The document in a text."""
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is None:
            raise SpecError(f"{where} is empty; remedy: start with `source:`, see `synth schema`")
        walk = _Walk(where)
        return Document(walk.value(node, (), 0), walk.lines, where, text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise SpecError(f"{where}{line} is not valid YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise SpecError(f"{where} is not valid YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise SpecError(f"{where} has too many levels") from None


def value(text: str, where: str) -> Any:
    """One YAML value, such as the right side of --set."""
    return parse(text, where).data if text.strip() else None


class _Dumper(yaml.SafeDumper):
    """Quote words that the core schema would read as numbers, and write the values of NumPy and paths plainly."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _scalar(dumper: yaml.SafeDumper, value: Any) -> yaml.Node:
    """A scalar of NumPy, or of any library that has `item`, as the Python value."""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", 1) == 0:
        return dumper.represent_data(item())
    raise yaml.representer.RepresenterError(f"{type(value).__name__} {value!r:.60}")


_Dumper.add_multi_representer(Path, lambda dumper, path: dumper.represent_str(str(path)))
_Dumper.add_multi_representer(str, lambda dumper, text: dumper.represent_str(str(text)))
_Dumper.add_representer(None, _scalar)  # type: ignore[arg-type]


def dump(data: Any, where: str) -> str:
    """Plain values as YAML that `parse` reads back unchanged. Raises SpecError for other values."""
    try:
        return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    except yaml.representer.RepresenterError as error:
        raise SpecError(
            f"{where} holds {error}, which YAML has no value for; remedy: words, numbers, lists and mappings"
        ) from None


class _Walk:
    """Convert nodes into values with their lines, and bound the expansion of aliases."""

    def __init__(self, where: str) -> None:
        self.where, self.nodes, self.lines = where, 0, dict[Path_, int | str]()

    def value(self, node: yaml.Node, path: Path_, depth: int) -> Any:
        self.nodes += 1
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            raise SpecError(
                f"{self.where}:{line}: expands to more than {MAX_NODES:,} values or {MAX_DEPTH} levels; remedy: fewer"
                " aliases"
            )
        if node.tag.rpartition(":")[2] not in _PLAIN or not node.tag.startswith("tag:yaml.org,2002:"):
            raise SpecError(f"{self.where}:{line}: the tag {node.tag} is not allowed in a spec")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i), depth + 1) for i, item in enumerate(node.value)]
        return self._scalar(node, line)

    def _mapping(self, node: yaml.MappingNode, path: Path_, depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise SpecError(f"{self.where}:{line}: a key must be a word")
            if key_node.value == "<<":
                raise SpecError(
                    f"{self.where}:{line}: merge keys (<<) are not part of YAML 1.2; remedy: write the keys out"
                )
            key = key_node.value.lower() if key_node.tag.endswith(":bool") else str(key_node.value)
            if key in out:
                raise SpecError(f"{self.where}:{line}: the key {key!r} occurs twice; remedy: keep one of the two")
            self.lines[(*path, key)] = line
            out[key] = self.value(value_node, (*path, key), depth + 1)
        return out

    def _scalar(self, node: yaml.Node, line: int) -> Any:
        kind, text = node.tag.rpartition(":")[2], str(node.value)
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        try:
            if kind == "int":
                return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
            if kind == "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            raise SpecError(f"{self.where}:{line}: {text[:40]!r} is not a number") from None
        if kind == "bool":
            raise SpecError(f"{self.where}:{line}: {text[:40]!r} is neither true nor false")
        return text
