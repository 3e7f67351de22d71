"""Tables that fit the width of a terminal: long texts move below their rows, optional fields are left out with a mark,
and at last each row becomes a block of labelled lines. A figure is never cut or broken over lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

GAP = 2  # spaces between fields
NAME, WORDS = 22, 28  # the least widths to which names are cut and beside which words are wrapped
INDENT = 6  # of words below their row
PAIR = " × "  # between the names of two columns
LABEL = 24  # the greatest width of a label in a block

Cell = str | Text
_RULER = Console(width=80)  # rich wants one to wrap a text; its width is not used


@dataclass(frozen=True)
class Field:
    """A column of a grid. kind: a figure keeps its width, a name may be cut with a mark, words may be wrapped.

    optional: the field may be left out where the width does not suffice.
    """

    title: str
    kind: Literal["figure", "name", "words"] = "figure"
    optional: bool = False


@dataclass(frozen=True)
class Grid:
    """Rows of cells as a rich renderable. lead: the number of fields that head a block, where rows become blocks."""

    fields: Sequence[Field]
    rows: Sequence[Sequence[Cell]]
    lead: int = 1
    below: bool = field(default=False, kw_only=True)  # words stand below their rows even where the width suffices

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        for line in self.lines(options.max_width):
            line.no_wrap, line.overflow = True, "ignore"
            yield line

    def lines(self, width: int) -> list[Text]:
        """The lines of the table, none wider than `width` unless one word or figure is."""
        filled = self._filled()
        for shown, below in filled._layouts():
            if (widths := filled._widths(shown, width)) is not None:
                dropped = [f.title for i, f in enumerate(filled.fields) if i not in {*shown, *below}]
                return [*filled._table(shown, below, widths, width), *_left_out(dropped, width)]
        return filled._blocks(width)

    def _filled(self) -> Grid:
        """Without fields that are empty in every row; the first stays."""
        used = [i for i in range(len(self.fields)) if i == 0 or not self.rows or any(str(r[i]) for r in self.rows)]
        rows = [[_text(row[i]) for i in used] for row in self.rows]
        lead = sum(i < self.lead for i in used)
        return replace(self, fields=[self.fields[i] for i in used], rows=rows, lead=lead)

    def _layouts(self) -> Iterator[tuple[list[int], list[int]]]:
        """Fields side by side and words below the rows, from the fullest to the narrowest layout."""
        every = list(range(len(self.fields)))
        words = [i for i in every if self.fields[i].kind == "words" and i >= self.lead]
        if not (self.below and words):
            yield every, []
        shown = [i for i in every if i not in words]
        optional = [i for i in shown if self.fields[i].optional]
        yield shown, words
        while optional:
            shown = [i for i in shown if i != optional[-1]]
            optional.pop()
            yield shown, words

    def _widths(self, shown: Sequence[int], width: int) -> list[int] | None:
        """The width of each shown field; None where they do not fit."""
        widths = [max(cell_len(self.fields[i].title), *(cell_len(str(r[i])) for r in self.rows), 0) for i in shown]
        least = [
            min(w, {"figure": w, "name": NAME, "words": WORDS}[self.fields[i].kind])
            for i, w in zip(shown, widths, strict=True)
        ]
        room = width - GAP * (len(shown) - 1)
        if sum(least) > room:
            return None
        while sum(widths) > room:
            spare = [w - low for w, low in zip(widths, least, strict=True)]
            widest = spare.index(max(spare))
            widths[widest] -= min(spare[widest], max(1, (sum(widths) - room) // 2))
        return widths

    def _table(self, shown: list[int], below: list[int], widths: list[int], width: int) -> Iterator[Text]:
        titles = [_cut(Text(self.fields[i].title, style="dim"), w) for i, w in zip(shown, widths, strict=True)]
        if any(str(title) for title in titles):
            yield _joined([[title] for title in titles], widths, 0)
        for row in self.rows:
            parts = [self._cell(row, i, w) for i, w in zip(shown, widths, strict=True)]
            for n in range(max(map(len, parts))):
                yield _joined(parts, widths, n)
            for i in below:
                if str(row[i]):
                    label = f"{self.fields[i].title}: " if len(below) > 1 and self.fields[i].title else ""
                    yield from wrapped(Text(label, style="dim") + _text(row[i]), width, " " * INDENT)

    def _cell(self, row: Sequence[Cell], i: int, width: int) -> list[Text]:
        """The lines of a cell."""
        text = _text(row[i])
        if self.fields[i].kind == "words":
            return _wrap(text, width)
        return [_cut(text, width)]

    def _blocks(self, width: int) -> list[Text]:
        """Each row as a heading and labelled lines."""
        out: list[Text] = []
        label = min(LABEL, max((cell_len(f.title) for f in self.fields[self.lead :]), default=0))
        for row in self.rows:
            heading = Text("  ").join(_text(cell) for cell in row[: self.lead] if str(cell))
            out += _wrap(heading, width)
            for i in range(self.lead, len(self.fields)):
                if str(row[i]):
                    title = Text(self.fields[i].title.ljust(label), style="dim")
                    out += wrapped(_text(row[i]), width, " " * (GAP + label + GAP), first=Text("  ") + title + "  ")
        return out


def wrapped(text: Text, width: int, indent: str, first: Text | None = None) -> list[Text]:
    """A text in lines of at most `width`, broken at spaces. indent: before each line; first: instead on the first."""
    lines = _wrap(text, max(width - len(indent), 20))
    return [(first if first is not None and n == 0 else Text(indent)) + line for n, line in enumerate(lines)]


@dataclass(frozen=True)
class Note:
    """A text as a rich renderable, wrapped at words. mark: before the first line; the others hang below its end."""

    text: str
    style: str = "dim"
    mark: str = "· "

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        first, indent = Text(self.mark, style=self.style), " " * len(self.mark)
        for line in wrapped(Text(self.text, style=self.style), options.max_width, indent, first):
            line.no_wrap, line.overflow = True, "ignore"
            yield line


def note(text: str, style: str = "dim") -> Note:
    """A sentence that hangs on a dot."""
    return Note(text, style)


def stacked(titles: Sequence[str], rows: Sequence[Sequence[str]], width: int, most: int) -> tuple[list[Grid], int]:
    """A wide table as several of the same rows, each with as many columns as fit; most: how many of them at most.

    Returns them with the number of columns that are left out.
    """
    widths = [max(cell_len(title), *(cell_len(row[i]) for row in rows), 0) for i, title in enumerate(titles)]
    grids: list[Grid] = []
    start = 0
    while start < len(titles) and len(grids) < most:
        end, used = start + 1, min(widths[start], width)
        while end < len(titles) and used + GAP + widths[end] <= width:
            used += GAP + widths[end]
            end += 1
        fields = [Field(title, "name") for title in titles[start:end]]
        grids.append(Grid(fields, [row[start:end] for row in rows]))
        start = end
    return grids, len(titles) - start


def _left_out(titles: list[str], width: int) -> list[Text]:
    if not titles:
        return []
    return wrapped(Text(f"… left out for lack of width: {', '.join(titles)}", style="dim"), width, "")


def _joined(parts: Sequence[Sequence[Text]], widths: Sequence[int], n: int) -> Text:
    """Line n of all cells, padded to their widths."""
    line = Text()
    for cells, width in zip(parts, widths, strict=True):
        cell = cells[n] if n < len(cells) else Text()
        line += cell
        line.append(" " * (width - cell_len(cell.plain) + GAP))
    line.rstrip()
    return line


def _cut(text: Text, width: int) -> Text:
    """A text of at most `width` characters; of a pair, each of the two names is cut."""
    one, times, two = text.plain.partition(PAIR)
    if times and cell_len(text.plain) > width:
        room = width - len(PAIR)
        first = max(room - cell_len(two), room // 2)
        return _cut(Text(one), first) + PAIR + _cut(Text(two), room - min(first, cell_len(one)))
    text.truncate(width, overflow="ellipsis")
    return text


def _wrap(text: Text, width: int) -> list[Text]:
    lines = list(text.wrap(_RULER, width, overflow="fold"))
    for line in lines:
        line.rstrip()
    return lines or [Text()]


def _text(cell: Cell) -> Text:
    return cell.copy() if isinstance(cell, Text) else Text(cell)
