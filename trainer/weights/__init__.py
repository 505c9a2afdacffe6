"""The networks that come with handforge: ``CATEGORY.safetensors`` (float16), and what it is in ``CATEGORY.json``.

``handforge export RUN --format safetensors`` writes such a pair.
"""

from __future__ import annotations

from pathlib import Path

from handforge.dataset import CATEGORIES
from trainer.errors import WeightsError

FOLDER = Path(__file__).parent
SHIPPED = "shipped"
"""In place of a path, where training starts from a network or export writes one: the shipped one."""


def shipped_weights(category: str = "hand") -> Path:
    """The weights file of the shipped network for what masks cover.

    :param category: ``hand`` or ``hand+forearm``.
    :raises WeightsError: if there is none.
    """
    if category not in CATEGORIES.values():
        raise WeightsError(f"the shipped networks are for {' and '.join(CATEGORIES.values())}, not {category!r}")
    path = FOLDER / f"{category}.safetensors"
    if not path.is_file():
        raise WeightsError(
            f"no network for {category!r} comes with this copy of handforge; "
            "give weights: a run folder or a .safetensors file (--weights RUN)"
        )
    return path


def weights_path(given: str | Path, category: str = "hand") -> Path:
    """The weights that are meant: a path, or for :data:`SHIPPED` the shipped network's.

    :raises WeightsError: as :func:`shipped_weights`, or if the path is not there.
    """
    if str(given) == SHIPPED:
        return shipped_weights(category)
    if not Path(given).exists():
        raise WeightsError(f"{given} is missing; give a run folder or .safetensors file")
    return Path(given)
