"""docs/copies.md: its cell runs, its rules are those that there are, its spec is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from synthcli.combining import RULES, combine
from synthcli.spec import yaml
from synthcli.spec.models import Generate

PAGE = (Path(__file__).parents[2] / "docs/copies.md").read_text(encoding="utf-8")


def test_its_cell_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (cell,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(cell, "docs/copies.md", "exec"), {})
    assert re.fullmatch(r"\d+\.\d\d \(\d+\.\d\d to \d+\.\d\d\)\n", capsys.readouterr().out)


def test_its_rules_are_those_that_there_are() -> None:
    assert tuple(re.findall(r"^\| `(\w+)` \| \$", PAGE, re.MULTILINE)) == RULES
    assert all(f"\n    {rule} " in (combine.__doc__ or "") for rule in RULES)


def test_its_spec_is_one() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    asked = Generate.model_validate(yaml.parse(block).data["generate"])
    assert asked.copies == 5 and asked.proper is False
