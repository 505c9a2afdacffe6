"""What the generator raises beside :class:`handforge.errors.HandforgeError`."""

from handforge.errors import HandforgeError


class EngineError(HandforgeError):
    """A Blender, or one of its engines, that cannot do what is asked of it here."""
