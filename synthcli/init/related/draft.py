"""Write the commented YAML of a first spec of several related tables. It shows no value that fewer than ten privacy
units share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from synthcli.init import draft as one
from synthcli.init.draft import comment, flow, scalar
from synthcli.init.related.findings import RelatedFindings
from synthcli.relational.relationships import with_dependents


def draft(found: RelatedFindings, sources: Mapping[str, Mapping[str, Any]], *, title: str = "") -> str:
    """The text of a spec. sources: the keys of each table's source; title: the name of the data."""
    parts = [_head(found, title), _source(found, sources), _unit(found), _columns(found), _constraints(found),
             _rest(found)]  # fmt: skip
    return "\n".join(line.rstrip() for part in parts for line in part) + "\n"


def _head(found: RelatedFindings, title: str) -> Iterator[str]:
    rows = ", ".join(f"{name} ({each.rows:,} rows)" for name, each in found.tables.items())
    yield from comment(f"A first spec for {title or 'related tables'}: {rows}. Review it: some of it is guessed.")
    yield from comment("synth check validates it, synth run runs it.")
    yield "version: 1"
    yield "seed: 0"


def _source(found: RelatedFindings, sources: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    yield "source:"
    yield "  tables:"
    for name in found.tables:
        keys = {**sources[name], **({"keep": True} if name in found.public else {})}
        yield f"    {scalar(name)}: {flow(keys)}{_about(found, name)}"
    yield "  relationships:"
    for link in found.structure.links:
        yield from comment(f"{link.why}", "    ")
        if link.orphans:
            yield from comment(f"{link.orphans:,} rows refer to no row, and are dropped", "    ")
        yield f"    - {flow(link.relationship.keys_of_spec())}"
    if found.left_out:
        yield from comment("Left out:", "  ")
        for note in found.left_out:
            yield from comment(note, "    ")
    units = found.tables[found.unit.table].rows
    if units < 30:
        yield "  split: {validation: 0, holdout: 0}  # too few rows for a holdout"
    else:
        yield "  # split: {validation: 0.1, holdout: 0.2}  # of privacy units"


def _about(found: RelatedFindings, table: str) -> str:
    """A comment on a table whose rows do not depend on the privacy unit."""
    if table in found.public:
        return "  # its keys are words that many share: written unchanged; without keep: true they are made up"
    below = with_dependents(found.unit.table, found.structure.relationships) | set(found.unit.others)
    return "" if table in below else f"  # no row depends on {found.unit.table}: add keep: true if it is public"


def _unit(found: RelatedFindings) -> Iterator[str]:
    unit = found.unit
    yield ""
    yield from comment(
        f"Who is protected: the rows of {unit.table} ({unit.why}). All rows of all tables that depend on one of them"
        " fall into one part of the split."
    )
    for other in unit.others:
        yield from comment(
            f"{other} may be people too, and its rows do not depend on {unit.table}: they are in every part of the"
            f" split, and no attack judges them. If they are the ones to protect: privacy_unit: {other}"
        )
    yield f"privacy_unit: {scalar(unit.table)}"


def _columns(found: RelatedFindings) -> Iterator[str]:
    yield ""
    yield from comment(
        "Keys, direct identifiers and free text are made up, never learned; all other columns are learned."
    )
    yield "columns:"
    for name, each in found.tables.items():
        if each.no_people is not None:
            yield from comment(f"The rows of {name} do not seem to be people: {each.no_people}.", "  ")
        for finding in each.columns:
            yield from one.column(replace(finding, name=f"{name}.{finding.name}"))
    for name, each in found.tables.items():
        yield from one.quasi_identifiers(each, f" of {name}")


def _constraints(found: RelatedFindings) -> Iterator[str]:
    rules = [
        (flow({"table": name, **rule}), why) for name, each in found.tables.items() for rule, why in one.rules(each)
    ]
    none = 'Constraints, such as: {table: orders, expr: "shipped >= ordered"}. None was found.'
    yield from one.constraint_lines(rules, none)


def _rest(found: RelatedFindings) -> Iterator[str]:
    for name, each in found.tables.items():
        if each.imported is not None and (notes := [*each.imported.notes, *one.unusable(each)]):
            yield ""
            yield from comment(f"Not imported from the metadata of {name}:")
            for note in notes:
                yield from comment(note, "  ")
    yield ""
    yield "generator:"
    yield "  method: trees  # rows are drawn given their parents"
    yield ""
    if (target := found.tables[found.unit.table].target) is not None:
        line = flow({"target": f"{found.unit.table}.{target[0]}"})
        yield from comment(
            "A downstream model, trained on synthetic data and tested on real data, may predict the column suggested"
            f" {target[1]}:"
        )
        yield f"# evaluate: {line}"
    else:
        yield from comment("evaluate: {target: TABLE.COLUMN} names the target of a downstream model.", fold=False)
    yield from comment(
        "The default gates apply; write evaluate.gates and privacy_check.gates to set your own (synth methods"
        " --metrics)."
    )
