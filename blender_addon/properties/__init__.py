"""What fields hold.

hand          of an armature: sliders, shape, verdict
scene         of a scene: the sweep, and what is rendered
choice_texts  tooltips of what a setting of the generator can be
preferences   of a user: what new files start with
"""

from __future__ import annotations

from . import hand, preferences, scene


def register() -> None:
    """Give objects and scenes their properties."""
    for part in (hand, scene, preferences):
        part.register()


def unregister() -> None:
    """Take them away again."""
    for part in (preferences, scene, hand):
        part.unregister()
