"""Progress on terminals of any width, and in pipes."""

import io
from functools import partial

import pytest
from rich.console import Console

from handforge import progress as module
from handforge.progress import progress, progress_counter, rate_text


@pytest.fixture(autouse=True)
def not_quiet(caplog):
    caplog.set_level("WARNING", "handforge")


@pytest.fixture(autouse=True)
def no_width_from_outside(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)


def shown(bar, width):
    """What a terminal of a width shows of a progress display now."""
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(bar.get_renderable())
    return console.file.getvalue().strip()


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_word_or_number_is_cut(monkeypatch, width):
    monkeypatch.setattr("rich.console.Console.width", property(lambda self: self._width or width))
    now = iter(range(0, 100_000, 10))
    bar = progress(unit="images")
    bar.get_time = lambda: next(now)
    task = bar.add_task("session 1/4", total=4000)
    bar.update(task, completed=100)
    bar.update(task, completed=200, note="loss 0.123")
    text = shown(bar, width)
    assert "…" not in text and len(text.splitlines()) == 1 + (width == 40), text
    assert {"session", "1/4", "200/4000", "loss", "0.123", "left"} <= set(text.split())
    assert ("images/s" in text) == (width >= module.RATE_FROM)


def test_a_total_that_is_not_known_is_left_out():
    bar = progress(unit="frames")
    bar.update(bar.add_task("predict", total=None), completed=3)
    assert shown(bar, 120).endswith(" 3") and "?" not in shown(bar, 120)


def test_a_pipe_gets_a_line_now_and_then_and_one_at_the_end(monkeypatch, capsys):
    clock = [0.0]
    monkeypatch.setattr(module, "Console", partial(Console, get_time=lambda: clock[0]))
    with progress_counter("rendering", "images") as tell:
        for done in range(0, 5):
            clock[0] = 25.0 * done
            tell(done, 4)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "rendering: 3/4, 2.4 images/min, 0:01:15 passed, 0:00:25 left",
        "rendering: 4/4, 2.4 images/min, 0:01:40 passed",
    ]


def test_a_line_in_a_pipe_has_the_note(monkeypatch, capsys):
    monkeypatch.setattr(module, "LINE_EVERY", -1.0)
    with progress(unit="steps") as bar:
        bar.update(bar.add_task("session 1", total=12), advance=1, note="loss 1.5")
    assert capsys.readouterr().err.startswith("session 1: 1/12, loss 1.5, ")


def test_quick_work_and_errors_say_nothing_in_a_pipe(capsys):
    with progress_counter("rendering", "images") as tell:
        tell(4, 4)
    with pytest.raises(ValueError), progress_counter("rendering", "images") as tell:
        tell(1, 4)
        raise ValueError
    assert capsys.readouterr().err == ""


def test_rates_have_three_digits_however_slow():
    assert [rate_text(each, "images") for each in (12.34, 0.1, 9 / 416)] == [
        "12.3 images/s",
        "0.1 images/s",
        "1.3 images/min",
    ]
