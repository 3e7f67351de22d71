"""The order in which columns that are computed from each other can be evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from synthcli.errors import SpecError


def evaluation_order(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """The columns in topological order: each after those that it needs. needs: column -> columns of its expression;
    columns that are no key are given. Raises SpecError for a cycle, which it names.
    """
    done: dict[str, None] = {}
    for name in needs:
        _visit(name, needs, done, ())
    return list(done)


def _visit(name: str, needs: Mapping[str, Iterable[str]], done: dict[str, None], path: tuple[str, ...]) -> None:
    if name in done or name not in needs:
        return
    if name in path:
        cycle = " → ".join([*path[path.index(name) :], name])
        raise SpecError(
            f"columns.{name}.expr: the expressions depend on each other in a cycle: {cycle}; remedy: break it"
        )
    for needed in sorted(needs[name]):
        _visit(needed, needs, done, (*path, name))
    done[name] = None
