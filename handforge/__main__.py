"""``python -m handforge``."""

from handforge.cli import main

if __name__ == "__main__":
    main()
