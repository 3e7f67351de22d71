"""The sections of a page about related tables: the relationships, and each table."""

from __future__ import annotations

from synthcli.report import relations
from synthcli.report.reading import Body, Drawn

TEMPLATE = "related.html.j2"
SECTIONS = (("relationships", "Relationships"), ("tables", "Tables"))


def view(run: Body, drawn: Drawn, datasets: Body) -> Body:
    """Values of the template; a section without a value is left out."""
    return {
        "tables": relations.each_table(run, drawn, datasets),
        "relationships": relations.each_relationship(run, drawn, datasets),
        "structure": relations.structure(run),
        "beside": relations.side_by_side(run, drawn),
        "attacked": relations.attacked(run, drawn),
    }
