"""Settings as a TOML file in which every key has a comment: what ``handforge settings show`` prints."""

from __future__ import annotations

from pathlib import Path

from generator.frame.settings import PATHS, RenderSettings
from generator.hand import pose_sets
from handforge import commented_toml


def as_toml(settings: RenderSettings, title: str) -> str:
    """All settings, which :func:`generator.frame.settings.load` reads back to the same ones.

    :param title: the comment at the top.
    """
    values = settings.to_json()
    for name in PATHS:
        if values[name] is not None and not pose_sets.named(values[name]):
            values[name] = str(Path(values[name]).resolve())
    docs = commented_toml.field_docs(RenderSettings)
    return f"{commented_toml.comment(title)}\n{commented_toml.entries(values, docs)}"
