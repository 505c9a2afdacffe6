"""Docstrings as Markdown, which the page on Python is: an extension of Griffe, which reads them for MkDocs."""

from __future__ import annotations

import re
from typing import Any

import griffe


def markdown(text: str) -> str:
    """A docstring in reStructuredText as Markdown: examples are blocks of code, names of code are just that."""
    text = re.sub(r":[a-z]+:(?=`)", "", text)
    return re.sub(r"^>>> .*(?:\n.+)*", lambda example: f"```pycon\n{example[0]}\n```", text, flags=re.MULTILINE)


class Docstrings(griffe.Extension):
    """Makes all docstrings that are shown Markdown."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called by Griffe for each module, class, function and attribute that it has read."""
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value)
