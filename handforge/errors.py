"""What handforge raises for what it was given; anything else that it raises is a mistake of its own."""


class HandforgeError(ValueError):
    """Something asked of handforge, or given to it, cannot be used or done here; the text says what helps."""
