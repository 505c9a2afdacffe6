"""Tables as text: whole words and numbers at any width, and CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io

import pytest

from evaluation.metrics.by_category import Confusion
from evaluation.report import console
from evaluation.tables import Table, confusion_table, csv_text

TABLE = Table("scores", ("on", "images", "precision", "recall"), [["a test set", "12345", "0.12345", "0.98765"]])


@pytest.mark.parametrize("width, parts", [(80, 1), (40, 1), (39, 2), (23, 3)])
def test_a_narrow_terminal_gets_further_columns_below(monkeypatch, capsys, width, parts):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    console.print_table(TABLE)
    output = capsys.readouterr().out
    for word in (*TABLE.columns, *TABLE.rows[0]):
        assert word in output
    assert output.count("a test set") == parts


def test_a_pipe_gets_whole_lines(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "20")
    console.print_table(TABLE)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["a", "test", "set", "12345", "0.12345", "0.98765"] in rows


def test_a_category_called_nothing_is_one_like_any_other():
    """As ASL Alphabet has one; the last row and column stand for no object and no prediction."""
    found = Confusion(["a", "nothing"], [[1, 2, 0], [0, 0, 0], [0, 0, 0]])
    assert confusion_table("", found).rows == [["a", "1", "2", "0"], ["nothing", "0", "0", "0"]]
    found = Confusion(["a"], [[1, 0], [3, 0]])
    assert confusion_table("", found).rows == [["a", "1", "0"], ["nothing", "3", "0"]]


def test_csv_cells_are_no_formulas():
    cells = ["=1+1", "+cmd", "-x", "@SUM(A1)", "\tx", "-0.5", "+0.413", "plain", "a,b"]
    (row,) = csv.reader(io.StringIO(csv_text([cells])))
    assert row == ["'=1+1", "'+cmd", "'-x", "'@SUM(A1)", "'\tx", "-0.5", "+0.413", "plain", "a,b"]
