"""What all commands share: errors in one line with an exit code, checked paths and numbers.

Exit codes: 0 done, 1 found something wrong or skipped files, 2 wrong use or input, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from handforge.errors import HandforgeError
from handforge.files import FolderError, open_file_number, remove_stale, require_writable, system_text
from handforge.text import printable


class _Path(click.Path):
    """A file or folder, as a :class:`pathlib.Path`; an empty text, as of an unset variable of the shell, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert to a path, see the class."""
        if value == "":
            self.fail("the path is empty; give a dot for the current folder", param, ctx)
        return super().convert(value, param, ctx)


PATH = _Path(path_type=Path)

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
"""Context settings of every command group."""


class Group(click.Group):
    """A command group: wrong use or input ends with one line on standard error and exit code 2, Ctrl-C with 130.

    :param continues: by command, what to do after Ctrl-C (``"the same command with --resume continues"``).
    :param sections: headings of the help's list of commands, each with its commands; None: one list.
    :param any_names: commands that take files whose names are not UTF-8.
    """

    def __init__(
        self,
        *args: Any,
        continues: dict[str, str] | None = None,
        any_names: Sequence[str] = (),
        sections: dict[str, tuple[str, ...]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.continues = continues or {}
        self.sections = sections
        self.any_names = any_names

    group_class = type  # groups within one are of this class, too

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, and ``--verbose`` and ``--quiet`` to it; no :func:`output_file` of it is one that it reads."""
        if not isinstance(cmd, click.Group) and not any(option.name == "verbose" for option in cmd.params):
            cmd.params += [_verbose(), _quiet()]
            if cmd.callback is not None and any(option.callback is output_file for option in cmd.params):
                cmd.callback = _keeping_inputs(cmd.callback)
        super().add_command(cmd, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, by their sections where there are any."""
        for heading, names in (self.sections or {"Commands": tuple(sorted(self.commands))}).items():
            rows = [(name, self.commands[name].get_short_help_str(120)) for name in names]
            with formatter.section(heading):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; where the group alone lists names, an unknown word gets that answer."""
        if self.invoke_without_command and args[0] not in self.commands:
            path = ctx.command_path
            raise click.UsageError(
                f"No such command {args[0]!r}; {path} lists the names, {path} show NAME shows one", ctx
            )
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and turn errors into exit codes; always ends by ``SystemExit``."""
        if isinstance(sys.stdout, io.TextIOWrapper):  # not every terminal can show every name
            sys.stdout.reconfigure(errors="backslashreplace")
        words = list((args[0] if args else kwargs.get("args")) or sys.argv[1:])
        warnings.showwarning = _show_warning
        show_messages(logging.INFO)
        try:
            sys.exit(super().main(*args, **{**kwargs, "standalone_mode": False}) or 0)
        except getattr(click.exceptions, "NoArgsIsHelpError", ()) as error:  # click 8.1 shows the help by itself
            error.show()
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            where = f"; {context.command_path} --help tells more" if context else ""
            _say(f"{error.format_message().rstrip('.')}{where}")
        except (KeyboardInterrupt, click.Abort):
            hint = next((self.continues[word] for word in words if word in self.continues), "")
            click.echo(f"Interrupted{f'; {hint}' if hint else '.'}", err=True)
            sys.exit(130)
        except HandforgeError as error:
            _say(str(error))
        except ModuleNotFoundError as error:
            _say(f"the library {error.name} is not installed; pip install 'handforge[all]'")
        except OSError as error:
            _say(system_text(error))
        except RuntimeError as error:
            torch = sys.modules.get("torch")
            if torch is not None and isinstance(error, torch.OutOfMemoryError):
                _say("the GPU's memory is full; lower batch, rois_per_image or min_size, or use --device cpu")
            else:
                _say_unexpected(error, words)
        except Exception as error:  # the last net: whatever a file can hold, a command ends with a line
            _say_unexpected(error, words)
        sys.exit(2)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse words that are not UTF-8, and so cannot be written into any file, but for ``any_names``."""
        for word in [] if args and args[0] in self.any_names else args:
            try:
                word.encode()
            except UnicodeEncodeError:
                raise click.UsageError(f"{word!r} is not UTF-8; rename it") from None
        return super().parse_args(ctx, args)


def _verbose() -> click.Option:
    text = "Show where in the code an unexpected error arose."
    return click.Option(["-v", "--verbose"], is_flag=True, expose_value=False, help=text)


def _quiet() -> click.Option:
    def set_level(context: click.Context, parameter: click.Parameter, quiet: bool) -> None:
        if quiet:
            show_messages(logging.ERROR)

    text = "Show results and errors only: no progress, notices or warnings."
    return click.Option(["-q", "--quiet"], is_flag=True, expose_value=False, callback=set_level, help=text)


PACKAGES = ("handforge", "generator", "trainer", "evaluation")
"""Packages whose messages, by the standard module logging, a command shows."""


def show_messages(level: int) -> None:
    """Show the packages' log messages from a level on, one line each on standard error."""
    for name in PACKAGES:
        logger = logging.getLogger(name)
        logger.setLevel(level)
        if not any(isinstance(handler, _MessageHandler) for handler in logger.handlers):
            logger.addHandler(_MessageHandler())


class _MessageHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Show one message."""
        level = f"{record.levelname.capitalize()}: " if record.levelno >= logging.WARNING else ""
        echo(level + record.getMessage(), err=True)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a warning as one line, in place of Python's two with a file of ours."""
    logging.getLogger("handforge").warning("%s", message)


Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
"""How click asks an option for what its value may be in the shell."""


def complete(names: Callable[[], Iterable[str]]) -> Complete:
    """Complete, as an option's ``shell_complete``, one of these names, or else a file."""

    def found(context: click.Context, parameter: click.Parameter, start: str) -> list[CompletionItem]:
        items = [CompletionItem(name) for name in names() if name.startswith(start)]
        return items or [CompletionItem(start, type="file")]

    return found


def complete_list(names: Callable[[click.Context], Iterable[str]]) -> Complete:
    """Complete the last of several names separated by commas."""

    def found(context: click.Context, parameter: click.Parameter, start: str) -> list[CompletionItem]:
        before, comma, last = start.rpartition(",")
        left = [name for name in names(context) if name not in before.split(",")]
        return [CompletionItem(before + comma + name) for name in left if name.startswith(last)]

    return found


def echo(text: object = "", err: bool = False, nl: bool = True) -> None:
    """Print lines that may name files: on standard output, or ``err``; :func:`printable`, but for ends of lines."""
    click.echo("\n".join(map(printable, str(text).split("\n"))), err=err, nl=nl)


def _say(text: str) -> None:
    echo(f"Error: {' '.join(text.split())}", err=True)


NO_MEMORY = ("can't allocate memory", "failed to map segment", "Cannot allocate memory", "can't start new thread")
"""What torch, the loader of libraries and Python say where there is no memory left, or no more is allowed."""


def _say_unexpected(error: Exception, words: list[str]) -> None:
    """Say an error that no check has foreseen: its kind, the file at hand, and with ``-v`` the traceback."""
    verbose = not {"-v", "--verbose"}.isdisjoint(words)
    if verbose:
        traceback.print_exception(error)
    path = _file_at_hand(error)
    text = str(error) or "no more is known"
    if isinstance(error, MemoryError) or any(known in text for known in NO_MEMORY):
        _say(f"{f'{path}: ' if path else ''}memory is full ({text[:200]}); close other programs, or raise ulimit -v")
        return
    hint = "" if verbose else "; the same command with -v shows where it arose"
    _say(f"{f'{path}: ' if path else ''}unexpected {type(error).__name__}: {text[:300]}{hint}")


def _file_at_hand(error: BaseException) -> Path | None:
    """The file that the innermost function with a path of that kind was at work on; None if there is none."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in reversed(frames):
        for name in ("path", "file", "source", "folder"):
            value = frame.f_locals.get(name)
            if isinstance(value, Path):
                return value
    return None


def session_number(context: click.Context, parameter: click.Parameter, value: str | None) -> int | str | None:
    """Check, as an option's callback, which of a run's networks is meant: ``best``, ``last``, or a session from 1."""
    if value is None or value in ("best", "last"):
        return value
    if not value.isdecimal() or int(value) < 1:
        raise click.BadParameter(f"{value!r} is not best, last or the number of a session, from 1")
    return int(value)


class Number(click.FloatRange):
    """A number of a range. NaN is refused, which click takes for one of any range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert to float, see the class."""
        number = super().convert(value, param, ctx)
        if number != number:
            self.fail("nan is not a number", param, ctx)
        return number


def output_file(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Refuse, as an option's callback, a file that cannot be written before any work is done.

    ``-`` is the standard output, and what the command says to people goes to standard error then.
    """
    if value == Path("-"):
        value = Path("/dev/stdout")
        context.with_resource(contextlib.redirect_stdout(sys.stderr))
    if value is None or open_file_number(value) is not None:  # as /dev/stdout
        return value
    if value.exists() and not value.is_file() and not value.is_dir():  # as /dev/null
        return value
    if value.is_dir():
        raise click.BadParameter(f"{value} is a folder; name a file")
    if not value.resolve().parent.is_dir():
        raise click.BadParameter(f"the folder {value.parent} does not exist; make it first")
    try:
        require_writable(value.resolve().parent if value.is_symlink() else value.parent)
    except FolderError as error:
        raise click.BadParameter(str(error)) from None
    _refuse_part(value)
    remove_stale(value)
    return value


_OF_DATASETS = (
    "annotations.json",
    "dataset.json",
    ".partial/*",
    "images/*",
    "masks/*",
    "depth/*",
    "normals/*",
    "parts/*",
)
_PARTS = {
    "annotations.json": _OF_DATASETS,
    ".partial": _OF_DATASETS,
    "study.json": ("study.json",),
    "predict.json": ("predict.json", "results.json", "images.json"),
    "run.json": (
        *("run.json", "subsets.json", "losses.csv"),
        *("network.json", "network.safetensors", "state.safetensors", "sessions/*"),
    ),
}
"""Files of datasets, unfinished renderings, studies, predictions and runs, as patterns, by what tells such a folder."""


def _refuse_part(path: Path) -> None:
    """Refuse an output that is, or would be taken for, a part of a folder of ours."""
    whole = path.resolve()
    for folder in whole.parents:
        name = whole.relative_to(folder).as_posix()
        for mark, parts in _PARTS.items():
            if any(fnmatchcase(name, part) for part in parts) and (folder / mark).exists():
                said = "is a part" if path.exists() else "would be taken for a part"
                raise click.BadParameter(f"{path} {said} of the folder {folder}; name another file")


def _keeping_inputs(callback: Callable[..., Any]) -> Callable[..., Any]:
    """A command's function that is not called where an :func:`output_file` is a file that another option names."""

    @wraps(callback)
    def call(*args: Any, **kwargs: Any) -> Any:
        context = click.get_current_context()
        given = [(one, context.params[one.name]) for one in context.command.params if one.name in context.params]
        read = [path for one, value in given if one.callback is not output_file for path in _files(value)]
        for one, value in given:
            if one.callback is output_file and any(path.samefile(other) for path in _files(value) for other in read):
                raise click.BadParameter(f"{value} is read by the same command; name another file", context, one)
        return callback(*args, **kwargs)

    return call


def _files(values: Any) -> Iterator[Path]:
    """Those of an option's or argument's values that are files."""
    for value in values if isinstance(values, tuple) else (values,):
        if isinstance(value, str | Path) and os.path.isfile(value):  # noqa: PTH113 - Path's fails on long texts
            yield Path(value)
