"""What the generator raises for what it was given; anything else that it raises is a mistake of its own."""


class GeneratorError(ValueError):
    """Something asked of the generator, or given to it, cannot be used or done here; the text says what helps."""


class EngineError(GeneratorError):
    """A Blender, or one of its engines, that cannot do what is asked of it here."""
