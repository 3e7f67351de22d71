"""docs/python.md: its cells run one after the other, as in a notebook; its own metric measures."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import synthcli

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs/python.md").read_text(encoding="utf-8")
CELLS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_its_cells_run(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for cell in CELLS:
        if not cell.startswith("# metrics/"):
            exec(compile(cell, "docs/python.md", "exec"), names)
    assert "Did you mean method" in capsys.readouterr().out
    found = names["found"]
    assert (
        isinstance(found, synthcli.combine([1.0, 2.0], [1.0, 1.0]).__class__)
        and found.low < found.estimate < found.high
    )
    assert len(names["frames"]) == 5  # type: ignore[arg-type]


def test_its_own_metric_measures(spec: Path, tmp_path: Path) -> None:
    cell = next(c for c in CELLS if c.startswith("# metrics/"))
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/clinical.py").write_text(cell)
    gates = "evaluate.gates=[{metric: share_of_the_old, min: 0.2}]"
    asked = ["generate.rows=300", "evaluate.domain={path: metrics/clinical.py, params: {old: 60}}", gates]
    run = synthcli.execute(spec, sets=asked, trust=True)
    assert run.verdict is not None and [g["metric"] for g in run.verdict["gates"] if g["kind"] == "quality"] == [
        "share_of_the_old"
    ]
    assert np.isfinite(run.verdict["gates"][0]["measured"]["value"])


def test_the_arguments_of_execute_are_those_of_the_page() -> None:
    import inspect

    table = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert table and set(table) == set(inspect.signature(synthcli.execute).parameters)


class _Text(HTMLParser):
    """Tags opened and closed, and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def shown(run: synthcli.Run) -> str:
    """The text of a run in a notebook; its tags are balanced."""
    html = run._repr_html_()
    parser = _Text()
    parser.feed(html)
    assert not parser.open and "<script" not in html
    return parser.text


def test_a_run_shows_itself_in_a_notebook(spec: Path, tmp_path: Path) -> None:
    run = synthcli.execute(spec)
    text = shown(run)
    assert "PASSED" in text and "column_shapes" in text and "≥ 0.3" in text and "✓ pass" in text
    link = re.search(r'href="([^"]+)"', run._repr_html_())
    assert link is not None and (tmp_path / link[1]).name == "report.html" and (tmp_path / link[1]).is_file()
    spec.write_text(spec.read_text().replace("min: 0.3", "min: 0.9999"))
    failed = shown(synthcli.execute(spec))
    assert "FAILED" in failed and "gates failed: column_shapes" in failed and "✕ fail" in failed
    assert "Nothing changed" in shown(synthcli.execute(spec, if_changed=True))
    assert "no gate was set" in shown(synthcli.execute(spec, upto="analyze"))


def test_what_a_run_shows_is_escaped(spec: Path) -> None:
    spec.write_text(spec.read_text() + "name: a\n")
    run = synthcli.execute(spec)
    verdict = run.verdict
    assert verdict is not None
    from synthcli.report import notebook

    evil = {**verdict["gates"][0], "why": "<script>alert(1)</script>", "metric": "a&b"}
    line = notebook._line(evil)
    assert "<script>" not in line and "&lt;script&gt;" in line and "a&amp;b" in line


def test_the_public_names() -> None:
    assert sorted(synthcli.__all__) == [
        "Run",
        "Synthesizer",
        "__version__",
        "combine",
        "execute",
        "fit",
        "load_spec",
        "synthesize",
    ]
    assert all(getattr(synthcli, name) is not None for name in synthcli.__all__)
    with pytest.raises(AttributeError, match="no attribute"):
        synthcli.nothing_like_this  # noqa: B018
