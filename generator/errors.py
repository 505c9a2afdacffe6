"""What the generator raises beside :class:`handforge.errors.HandforgeError`."""

from handforge.errors import HandforgeError


class RunError(HandforgeError):
    """A rendering run that cannot be started or went wrong; the text names the folder and what to do."""


class EngineError(HandforgeError):
    """A Blender, or one of its engines, that cannot do what is asked of it here."""
