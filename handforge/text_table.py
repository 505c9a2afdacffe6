"""Tables on the terminal and in pipes, in which no number or word is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table

from handforge.text import printable

GAP = 2
"""Blanks that a column takes beside its cells; of the last one, those at the table's edges."""


def print_columns(
    columns: Sequence[str], rows: Sequence[Sequence[str]], labels: int = 1, title: str | None = None
) -> None:
    """Print a table on standard output.

    On a terminal that is too narrow, further columns follow below the first, so that no number or word is cut. Where
    the output is a file or a pipe, a row is one line.

    :param labels: how many of the columns, from the left, are words; they begin every part of the table.
    """
    console = Console(markup=False, emoji=False, highlight=False)  # names are shown as they are
    width = console.width if console.is_terminal else 10_000
    console = Console(markup=False, emoji=False, highlight=False, width=width, soft_wrap=not console.is_terminal)
    for part in _parts(columns, rows, labels, width):
        shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for number in part:
            justify: Literal["left", "right"] = "right" if number >= labels else "left"
            shown.add_column(columns[number], justify=justify, overflow="fold", no_wrap=number >= labels)
        for row in rows:
            shown.add_row(*(printable(row[number]) for number in part))
        console.print(shown)
        title = None


def _parts(columns: Sequence[str], rows: Sequence[Sequence[str]], labels: int, width: int) -> Iterator[list[int]]:
    """Column indices of each part that fits into a width; every part begins with the columns of words."""
    widths = [max(map(len, cells)) + GAP for cells in zip(columns, *rows, strict=True)]
    first = list(range(labels))
    used, part = sum(widths[:labels]), list(first)
    for number in range(labels, len(widths)):
        if part != first and used + widths[number] > width:
            yield part
            used, part = sum(widths[:labels]), list(first)
        part.append(number)
        used += widths[number]
    yield part
