"""YAML 1.2 core, with lines, without bombs."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcli.errors import SpecError
from synthcli.spec import yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("1e-5", 1e-5),
        ("1E5", 1e5),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 17),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01"),
        (".5", 0.5),
        ("-3", -3),
        ("'1'", "1"),
        ("+7", 7),
        ("1.", 1.0),
        ("0.1.2", "0.1.2"),
    ],
)
def test_scalars_are_those_of_the_core_schema(text: str, value: object) -> None:
    got = yaml.parse(f"k: {text}").data["k"]
    assert got == value
    assert type(got) is type(value)


def test_keys_are_words_and_know_their_line() -> None:
    document = yaml.parse("a: 1\nb:\n  true: x\n  2: y\nc: [1,\n  2]\n")
    assert document.data == {"a": 1, "b": {"true": "x", "2": "y"}, "c": [1, 2]}
    assert document.at(("b", "2")) == "spec:4"
    assert document.at(("c", 1)) == "spec:6"
    assert document.at(("b", "unknown", "deeper")) == "spec:2"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\na: 2", "spec:2: the key 'a' occurs twice"),
        ("a: [1, 2", "spec:1"),
        ("a:\n\t- 1", "spec:2"),
        ("a: !!python/object:os.system {}", "not allowed|not valid"),
        ("a: !mine x", "not allowed"),
        ("? [1, 2]\n: x", "key must be a word"),
        ("", "is empty"),
        ("a: 1\n---\nb: 2", "not valid YAML"),
        ("<<: {a: 1}", "merge keys"),
        ("a: !!bool abc", "neither true nor false"),
        ("a: !!int abc", "not a number"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(SpecError, match=complaint):
        yaml.parse(text)


def test_a_bomb_of_aliases_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    with pytest.raises(SpecError, match="expands to more than"):
        yaml.parse("\n".join(lines))


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(SpecError, match=r"levels|deeply"):
        yaml.parse("a: " + "[" * 3000 + "]" * 3000)


def test_files_that_are_no_specs(tmp_path: Path) -> None:
    for name, content in {"binary": b"\x00\xff\xfe\x01" * 10, "large": b"a: 1\n" * 300_000}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SpecError, match=name):
            yaml.read(tmp_path / name)
    with pytest.raises(SpecError, match="is a folder"):
        yaml.read(tmp_path)
    for path in (tmp_path / "missing.yaml", Path("/dev/zero"), Path("nul\0")):
        with pytest.raises(SpecError, match=r"not a regular file|does not exist|cannot be read"):
            yaml.read(path)
