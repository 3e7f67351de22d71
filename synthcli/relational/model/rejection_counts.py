"""Counts of the rows that rules refuse, repair or drop."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class RejectionCounts:
    """Counts of rows by table and rule: drawn again, repaired until they obey, or dropped because nothing obeyed."""

    drawn: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, table: str, rule: str, rows: int) -> None:
        """Count rows. kind: refused, repaired or dropped."""
        if rows:
            counts: dict[str, int] = getattr(self, kind)
            name = f"{table}: {rule}"
            counts[name] = counts.get(name, 0) + rows

    def merge(self, other: RejectionCounts) -> None:
        """Add the counts of another object to these."""
        self.drawn += other.drawn
        for kind in ("refused", "repaired", "dropped"):
            mine: dict[str, int] = getattr(self, kind)
            for name, rows in getattr(other, kind).items():
                mine[name] = mine.get(name, 0) + rows
