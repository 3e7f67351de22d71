"""Load a Spec from a file and --set options. An error reports all problems at once, each with file, line, key, value
and remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from synthcli.errors import SpecError, did_you_mean
from synthcli.sources import paths
from synthcli.spec import given, models, yaml
from synthcli.spec.models import Spec

if TYPE_CHECKING:
    import pyarrow as pa

Problem = tuple[yaml.Path_, str]


@dataclass(frozen=True)
class Loaded:
    """A spec with the position of each key. file: relative paths are relative to its folder; text: as written; sets:
    the overrides; frames: DataFrames in place of sources, by table.
    """

    spec: Spec
    document: yaml.Document
    file: Path
    text: str
    name: str
    sets: tuple[str, ...] = ()
    frames: Mapping[str, pa.Table] = field(default_factory=dict, repr=False)

    def resolve(self, path: str, *key: str) -> Path:
        """Make a path of the spec absolute. key: its position, for the error."""
        try:
            return (self.file.parent / Path(path).expanduser()).resolve()
        except (RuntimeError, ValueError, OSError) as error:
            raise self.fail(
                [(key, f"is not a path ({error}); remedy: a path relative to the spec, or an absolute one")]
            ) from None

    def place(self, path: str, *key: str) -> Path | str:
        """Make a path of the spec absolute, and leave a URL unchanged. key: its position, for the error."""
        return path if paths.is_url(path) else self.resolve(path, *key)

    def fail(self, problems: Sequence[Problem]) -> SpecError:
        """One error for all problems."""
        return problem_error(self.document, problems)


def load_spec(
    spec: str | Path | Mapping[str, Any] | None, sets: str | Sequence[str] = (), *, data: Any = None
) -> Loaded:
    """Read a spec, override keys by one or several `key=value` texts, and validate it. Raises SpecError.

    spec: a file, or the keys as a mapping, whose relative paths start at the current folder; None: no key but the
    source, which is data. data: a DataFrame in place of the source, or several by table name.
    """
    sets, tables = (sets,) if isinstance(sets, str) else tuple(sets), given.tables_of(data)
    if isinstance(spec, (str, Path)):
        file = Path(spec)
        document = given.with_tables(yaml.read(file, str(spec)), tables)
        text, stem = document.text, file.name.removesuffix(".yaml").removesuffix(".yml")
    else:
        file, stem = Path.cwd() / "spec", "frame" if tables else "spec"
        document = given.document(given.with_tables(yaml.Document(dict(spec or {}), {}, "the spec"), tables).data)
        text = document.text
    for each in sets:
        document = override(document, each)
    parsed = validate(document)
    if problems := given.lacking(parsed, tables):
        raise problem_error(document, problems)
    name = parsed.name or re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-.")[:64] or "spec"
    return Loaded(parsed, document, file.resolve(), text, name, sets, tables)


def validate(document: yaml.Document) -> Spec:
    """The spec in a document."""
    if not isinstance(document.data, dict):
        raise SpecError(
            f"{document.where} is not a mapping of keys; remedy: start with `source:`; `synth init DATA` writes a spec"
        )
    if problems := list(_later(document.data)):
        raise problem_error(document, problems)
    try:
        return Spec.model_validate(document.data)
    except ValidationError as error:
        raise problem_error(document, [_problem(e, document.data) for e in error.errors()]) from None


def override(document: yaml.Document, text: str) -> yaml.Document:
    """The document with `key.path=value` set; positions in lists are numbers."""
    key, equals, raw = text.partition("=")
    where = (
        f"--set {key}" if key.strip().endswith(".url") or "://" in raw else f"--set {text}"
    )  # a url may hold a secret
    if not equals or not key.strip():
        raise SpecError(f"{where}: expected KEY=VALUE, such as generator.params.min_leaf=50")
    path, data = _replaced(document.data, tuple(key.strip().split(".")), yaml.value(raw, where), where)
    kept = {k: line for k, line in document.lines.items() if k[: len(path)] != path}
    return replace(document, data=data, lines={**kept, path: where})


def _replaced(data: Any, path: tuple[str, ...], value: Any, where: str) -> tuple[yaml.Path_, Any]:
    """The data with one value replaced, and the path with positions in lists as numbers."""
    if not path:
        return (), value
    head, rest = path[0], path[1:]
    if isinstance(data, list):
        if not (head.isascii() and head.isdecimal()) or int(head) >= len(data):
            raise SpecError(f"{where}: {head} is not a position in a list of {len(data)}; positions count from 0")
        below, changed = _replaced(data[int(head)], rest, value, where)
        return (int(head), *below), [changed if i == int(head) else item for i, item in enumerate(data)]
    if data is not None and not isinstance(data, dict):
        raise SpecError(f"{where}: {_short(data)} has no key {head!r}")
    below, changed = _replaced((data or {}).get(head), rest, value, where)
    return (head, *below), {**(data or {}), head: changed}


def problem_error(document: yaml.Document, problems: Sequence[Problem]) -> SpecError:
    """One SpecError with a line per problem: key, value, file:line, what was expected."""
    lines = []
    for path, message in problems:
        value = _at(document.data, path)
        shown = "" if value is _NOTHING or isinstance(value, (dict, list)) else f" is {_short(value)}"
        lines.append(f"{_dotted(path)}{shown} ({document.at(path)}); {message}")
    return SpecError("\n".join(dict.fromkeys(lines)))


_NOTHING = object()


def _at(data: Any, path: yaml.Path_) -> Any:
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return _NOTHING
    return data


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else "null" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _dotted(path: yaml.Path_) -> str:
    return ".".join(str(p) for p in path) or "the spec"


def _later(data: dict[str, Any]) -> Iterator[Problem]:
    """Keys of the format that this version does not support yet."""
    for path, message in models.LATER.items():
        if _at(data, path) is not _NOTHING:
            yield path, message
    for path, values in models.LATER_VALUES.items():
        if (value := _at(data, path)) in values:
            yield path, f"{value} is not supported by this version; see `synth schema` for those that are"
    columns = data.get("columns")
    for name, traits in (columns if isinstance(columns, dict) else {}).items():
        if isinstance(traits, dict) and "units" in traits:
            yield ("columns", name, "units"), "unknown key"


_BALANCE = "{value: share}, such as {female: 0.5, male: 0.5}"
_EXPECTED: dict[yaml.Path_, str] = {  # one message for any error at these keys; the number is the length of the path
    ("generate", "where", 2): (
        "expected an expression that every row must satisfy, such as 'age >= 80'; remedy: leave where out for"
        " unconditional rows"
    ),
    (
        "generate",
        "balance",
        2,
    ): f"expected columns, each with {_BALANCE}; remedy: leave balance out to keep the shares of the source",
    ("generate", "balance", 3): f"expected {_BALANCE}",
    ("generate", "balance", 4): "expected a share of the rows from 0 to 1, such as 0.5 for half of them",
}


def _problem(error: Any, data: Any) -> Problem:
    """A pydantic error as a Problem."""
    path = _existing(data, tuple(error["loc"]))
    kind, context = error["type"], error.get("ctx", {})
    if (expected := _EXPECTED.get((*path[:2], len(path)))) is not None:
        return path, expected
    if kind == "extra_forbidden":
        known = _keys_beside(path)
        return path, f"unknown key.{did_you_mean(str(path[-1]), known)} Known: {', '.join(known)}"
    if kind == "missing":
        return path, "is missing"
    if kind == "literal_error":
        allowed = str(context["expected"])
        words = re.findall(r"'([^']*)'", allowed)
        return path, f"expected {allowed}.{did_you_mean(str(error['input']), words)}"
    if kind == "string_pattern_mismatch":
        return path, "expected letters, digits, '-', '_' and '.', starting with a letter or digit, at most 64"
    if kind in ("dict_type", "model_type"):
        return path, "expected a mapping of keys"
    if kind == "tuple_type":
        return path, "expected a list"
    if kind == "too_short":
        return path, f"expected a list of at least {context['min_length']}"
    if kind == "finite_number":
        return path, "expected a number that is neither infinite nor NaN"
    return path, str(error["msg"]).replace("Input should be", "expected").replace("Value error, ", "")


def _existing(data: Any, location: tuple[Any, ...]) -> yaml.Path_:
    """A pydantic location without the union member names that pydantic inserts."""
    path: list[str | int] = []
    for i, key in enumerate(location):
        if _at(data, (*path, key)) is not _NOTHING or i == len(location) - 1:
            path.append(key)
    if (
        len(path) > 1
        and _at(data, tuple(path)) is _NOTHING
        and isinstance(_at(data, tuple(path[:-1])), (str, int, float, bool))
    ):
        path.pop()  # the last name was a union member such as 'str'
    return tuple(path)


def _keys_beside(path: yaml.Path_) -> list[str]:
    """The keys that are valid in place of the last key of a path."""
    model: Any = Spec
    for key in path[:-1]:
        if isinstance(key, int):
            continue
        field = model.model_fields.get(key)
        nested = list(_models(field.annotation)) if field else []
        model = nested[0] if nested else model
    fields: dict[str, Any] = getattr(model, "model_fields", {})
    return [f.alias or name for name, f in fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
