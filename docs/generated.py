"""The reference pages from the code: a hook of MkDocs that fills the marks for commands, settings and recipes.

Each command with its help, example and options; each setting and recipe key with its values, default and meaning. The
page on contributing is CONTRIBUTING.md.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import click

from generator.frame.settings import RenderSettings
from handforge import commented_toml
from handforge.cli import main
from handforge.validation import expected
from trainer.config.recipe import ImageSettings, Network, Recipe, Session

SHARED = {"--verbose", "--quiet", "--help"}
"""Options of every command, which the page explains once."""


def commands() -> str:
    """All commands of ``handforge``, one heading each."""
    return "\n".join(text for name, one in main.commands.items() for text in _described(one, f"handforge {name}"))


def _described(command: click.Command, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    yield f"{'#' * (len(name.split()))} {name}\n"
    yield _help(command.help or "")
    yield f"```\n{command.get_usage(context).removeprefix('Usage: ')}\n```\n"
    options = [one for one in command.get_params(context) if isinstance(one, click.Option) and not SHARED & {*one.opts}]
    rows = [record for option in options if (record := option.get_help_record(context))]
    if rows and not isinstance(command, click.Group):
        yield _table(("option", "meaning"), [(_cell(f"`{left}`"), _cell(right)) for left, right in rows])
    if isinstance(command, click.Group):
        for part, inner in command.commands.items():
            yield from _described(inner, f"{name} {part}")


_SHELL = re.compile(r"^((?:handforge|hand-\w+) .*?\S)( {2,})(?=\S)", re.MULTILINE)
"""A command in a help's example, before what it says of it."""


def _help(text: str) -> str:
    """Click's help as Markdown: what follows a backspace is a block of code, with comments behind commands."""
    parts = []
    text = inspect.cleandoc(text)  # Python 3.13 does so by itself
    for part in text.replace("\n\n", "\n\n\n").split("\n\n\n"):
        lines = part.strip("\n").splitlines()
        if lines and lines[0].strip() == "\b":
            block = _SHELL.sub(r"\1\2# ", "\n".join(lines[1:]))
            kind = "sh" if re.search(r"^(handforge|hand-\w+) ", block, re.MULTILINE) else "text"
            parts.append(f"```{kind}\n{block}\n```")
        else:
            parts.append(" ".join(line.strip() for line in lines).replace("<", "&lt;"))
    return "\n\n".join(parts) + "\n"


def settings() -> str:
    """All settings of a rendering run."""
    return _fields(RenderSettings, RenderSettings().to_json())


def recipes() -> str:
    """All keys of a recipe, a table for each of its parts."""
    parts: list[tuple[str, Any]] = [
        ("At the top", Recipe("", ())),
        ("[network]", Network()),
        ("[images]", ImageSettings()),
    ]
    parts.append(("[session] and [[sessions]]", Session()))
    tables = [(name, _fields(type(one), dataclasses.asdict(one))) for name, one in parts]
    return "\n".join(f"## {name}\n\n{table}" for name, table in tables)


def _fields(cls: Any, defaults: dict[str, Any]) -> str:
    docs, hints = commented_toml.field_docs(cls), get_type_hints(cls, include_extras=True)
    rows = []
    for field in dataclasses.fields(cls):
        if field.default is dataclasses.MISSING and cls is Recipe:  # its name and its parts
            continue
        default = "none" if defaults[field.name] is None else f"`{commented_toml.value(defaults[field.name])}`"
        kind = re.sub(r"(^| or )(something else|a list$)", "", _cell(expected(hints[field.name], "`{}`")))
        parts = [kind] if re.search(r"\b[Dd]efault\b", docs[field.name]) else [kind, f"default {default}"]
        said = ", ".join(part for part in parts if part)
        said = f"*{said[0].upper()}{said[1:]}.*<br>" if said else ""
        rows.append((f"`{field.name}`", said + _cell(docs[field.name])))
    return _table(("key", "values, default, meaning"), rows)


def _cell(text: str) -> str:
    """Text that stands in a table as it is; what is in backticks does so by itself."""
    return re.sub(r"`[^`]*`|[|<]", lambda found: {"|": "\\|", "<": "&lt;"}.get(found[0], found[0]), text)


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = (heads, tuple("---" for _ in heads), *rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in lines) + "\n"


def contributing() -> str:
    """CONTRIBUTING.md, without its heading."""
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text("utf-8")
    return text.partition("\n")[2].lstrip()


PARTS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "settings": settings,
    "recipes": recipes,
    "contributing": contributing,
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill a page's marks; called by MkDocs for each page."""

    def part(mark: re.Match[str]) -> str:
        return PARTS[mark[1]]() if mark[1] in PARTS else mark[0]

    return re.sub(r"^<!-- (\w+) -->$", part, markdown, flags=re.MULTILINE)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Let the search show experiments, which describe the code of their day, after other pages."""
    if page.url.startswith("experiments/"):
        page.meta["search"] = {"boost": 0.1}
    return html


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Take the script that lets search run from disk out of the site itself, in place of another host's."""
    here = "../" * page.url.count("/")
    return output.replace("https://unpkg.com/iframe-worker/shim", f"{here}assets/worker.js")
