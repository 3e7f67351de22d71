"""Write the commented YAML of a first spec from the findings on a table. It shows no value that fewer than ten privacy
units share.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from synthcli.init.findings import Finding, Findings
from synthcli.wording import agreeing, quantity

WIDTH = 140
_RESERVED = frozenset({"null", "true", "false", "y", "n", "yes", "no", "on", "off", "~"})
_SAYS = {
    "header": "the first line is a row like the others",
    "skip": "lines before the header",
    "comment": "lines that start with it are not read",
    "repair_names": "nameless columns become column_3, repeated ones kind_2",
    "nested": "fields become columns (who.kind), lists become JSON text; or drop",
}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")


def draft(found: Findings, source: Mapping[str, Any], *, title: str = "") -> str:
    """The text of a spec. source: the keys of its source section; title: the name of the data."""
    parts = [
        _head(found, title),
        _source(found, source),
        _unit(found),
        _columns(found),
        _constraints(found),
        _rest(found),
    ]
    return "\n".join(line.rstrip() for part in parts for line in part) + "\n"


def _head(found: Findings, title: str) -> Iterator[str]:
    yield from comment(
        f"A first spec for {title or 'this table'}, inferred from its {quantity(found.rows, 'row')}."
        " Review it: some of it is guessed."
    )
    yield from comment("synth check validates it, synth run runs it.")
    yield "version: 1"
    yield "seed: 0"


def _source(found: Findings, source: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield "source:"
    for key, value in source.items():
        why = f"  # {_SAYS[key]}" if key in _SAYS else ""
        yield f"  {key}: {scalar(value)}{why}"
    if found.units < 30:
        yield "  split: {validation: 0, holdout: 0}  # too few rows for a holdout"
    else:
        yield "  # split: {validation: 0.1, holdout: 0.2}  # of privacy units"
    if found.imported is not None:
        for link in found.imported.relationships:
            yield from comment(f"relationship: {link['from']} -> {link['to']}", "  ")


def _unit(found: Findings) -> Iterator[str]:
    yield ""
    if found.unit is None:
        yield from comment(
            "Each row is assumed to be a different person. If a person has several rows, name the identifying column:"
            " privacy_unit: COLUMN"
        )
        return
    yield from comment(
        f"Who is protected: {found.unit[0]} ({found.unit[1]}). All rows of a unit fall into one part of the split."
    )
    yield f"privacy_unit: {scalar(found.unit[0])}"
    if found.units < found.rows:
        yield from comment(
            f"A unit has {found.rows / found.units:.1f} rows here, which stay together: how many, what is constant in a"
            " unit, their order, and the changes from row to row. (modality: tabular learns each row by itself.)"
        )
        yield "modality: panel"


def _columns(found: Findings) -> Iterator[str]:
    yield ""
    yield from comment(
        "Direct identifiers, ids and free text are made up, never learned; all other columns are learned."
    )
    if found.no_people is not None:
        why = (
            f"The rows do not seem to be people: {found.no_people}. So columns such as an age are not treated as"
            " personal."
        )
        yield from comment(why)
    yield "columns:"
    for finding in found.columns:
        yield from column(finding)
    yield from quasi_identifiers(found)


def quasi_identifiers(found: Findings, of: str = "") -> Iterator[str]:
    """Comments on the uniqueness of combinations. of: the table, in words."""
    if not found.unique:
        return
    yield ""
    yield from comment(
        f"Quasi-identifiers{of}: how far columns that others may know identify a row (k: number of people who share the"
        " combination)"
    )
    for step in found.unique:
        bands = ", ".join(f"k {name}: {share:.1%}" for name, share in step.shares.items())
        yield from comment(f"{' + '.join(step.columns)}: {step.unique:.1%} of rows are unique ({bands})")


def column(finding: Finding) -> Iterator[str]:
    """The lines of a column: guesses and notes as comments, then its traits with facts."""
    for guess in (finding.guess, finding.special):
        if guess is not None and guess.sensitivity != "none":
            does = (
                ""
                if guess is finding.special
                else "; made up, never learned"
                if finding.made_up
                else "; learned, see the quasi-identifiers below"
            )
            law = " of GDPR Art. 9" if guess.sensitivity == "special category" else ""
            yield from comment(
                f"{guess.sensitivity}{law}: {guess.kind} ({guess.confidence:.0%} sure, by {guess.evidence}){does}", "  "
            )
    for note in finding.notes:
        yield from comment(note, "  ")
    traits = ", ".join(f"{key}: {scalar(value)}" for key, value in finding.traits.items())
    facts = clean("; ".join(([] if "type" in finding.traits else [finding.kind]) + list(finding.facts)))
    yield f"  {scalar(finding.name)}: {{{traits}}}  # {facts}"


def _constraints(found: Findings) -> Iterator[str]:
    spelled = [(scalar(r["expr"]) if set(r) == {"expr"} else flow(r), why) for r, why in rules(found)]
    yield from constraint_lines(spelled, "Constraints on all rows, such as: discharge >= admission. None was found.")


def constraint_lines(rules: Sequence[tuple[str, str]], none: str) -> Iterator[str]:
    """The section of constraints. rules: each as the spec writes it, with the evidence; none: a comment if there are
    none.
    """
    yield ""
    if not rules:
        yield from comment(none)
        yield "constraints: []"
        return
    yield from comment(
        "Constraints, checked on the source and enforced in the output. Those found hold in every row; remove those"
        " that hold by chance."
    )
    yield "constraints:"
    for rule, why in rules:
        yield f"  - {rule}  # {clean(why)}"


def rules(found: Findings) -> Iterator[tuple[dict[str, Any], str]]:
    """The constraints of a table, imported and found, with the evidence."""
    yield from _imported_rules(found)
    known = [set(rule["unique"]) for rule in (found.imported.constraints if found.imported else ()) if "unique" in rule]
    yield from (
        (s.constraint, s.evidence) for s in found.suggestions if s.form != "unique" or set(s.columns) not in known
    )


def _imported_rules(found: Findings) -> Iterator[tuple[dict[str, Any], str]]:
    """The usable constraints of imported metadata."""
    for rule, broken in zip(found.imported.constraints if found.imported else (), found.broken):
        if broken == 0:
            yield dict(rule), "imported"
        elif broken > 0:
            yield (
                {**rule, "on_violation": "warn"},
                f"imported; {quantity(broken, 'row')} of the source {agreeing(broken, 'breaks', 'break')} it",
            )


def _rest(found: Findings) -> Iterator[str]:
    if found.imported is not None and (notes := [*found.imported.notes, *unusable(found)]):
        yield ""
        yield from comment("Not imported from the metadata:")
        for note in notes:
            yield from comment(note, "  ")
    yield ""
    yield "generator:"
    yield "  method: trees  # see synth methods; auto chooses one, candidates: [...] compares several"
    yield ""
    if found.target is not None:
        yield from comment(
            "The target of a downstream model, trained on synthetic data and tested on real data. Suggested"
            f" {found.target[1]}."
        )
        yield "evaluate:"
        yield f"  target: {scalar(found.target[0])}"
    else:
        yield from comment(
            "evaluate: {target: COLUMN} names the target of a downstream model; none was found here.", fold=False
        )
        if found.no_target:
            yield from comment(f"(Not suggested: {found.no_target}.)")
    yield from comment(
        "The default gates apply; write evaluate.gates and privacy_check.gates to set your own (synth methods"
        " --metrics)."
    )


def unusable(found: Findings) -> Iterator[str]:
    """Notes on imported constraints that cannot be used."""
    for rule, broken in zip(found.imported.constraints if found.imported else (), found.broken):
        if broken < 0:
            yield f"constraint {flow(rule)}: it does not fit this table"


def scalar(value: Any) -> str:
    """Format a value as YAML 1.2 on one line, so that it is read back unchanged."""
    if isinstance(value, Mapping):
        return flow(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_quoted(v) if isinstance(v, str) and "," in v else scalar(v) for v in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value)
    return text if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED else _quoted(text)


def flow(value: Mapping[str, Any]) -> str:
    """A mapping on one line."""
    return "{" + ", ".join(f"{scalar(k)}: {scalar(v)}" for k, v in value.items()) + "}"


def _quoted(text: str) -> str:
    known = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(known.get(c) or (c if c.isprintable() else f"\\U{ord(c):08x}") for c in text) + '"'


def clean(text: str) -> str:
    """A comment that cannot end early."""
    return "".join(c if c.isprintable() else " " for c in text)


def comment(text: str, indent: str = "", *, fold: bool = True) -> Iterator[str]:
    """Lines of a comment, folded at WIDTH."""
    lines: Sequence[str] = [clean(text)]
    if fold:
        lines = re.findall(rf".{{1,{WIDTH - len(indent) - 2}}}(?:\s+|$)|\S+", clean(text))
    for line in lines:
        yield f"{indent}# {line.strip()}"
