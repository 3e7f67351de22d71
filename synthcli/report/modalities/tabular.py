"""The sections of a page about one table: its columns, their pairs, the detector."""

from __future__ import annotations

from synthcli.report import one_table
from synthcli.report.reading import Body, Drawn, sole_table

TEMPLATE = "one_table.html.j2"
SECTIONS = (("sample", "Sample rows"), ("columns", "Columns"), ("pairs", "Pairs of columns"), ("detector", "Detector"))


def view(run: Body, drawn: Drawn, datasets: Body) -> Body:
    """Values of the template; a section without a value is left out."""
    found = one_table.view(sole_table(run), drawn, datasets)
    return {"view": found, **{key: found[key] for key, _ in SECTIONS}}
