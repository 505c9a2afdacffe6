"""Mesh the mean hand and the mean foot, and write the package's files: ``python -m generator.mesh.build_meshes``.

To be run after every change of what they are made of; a test tells when it was forgotten.
"""

from __future__ import annotations

from generator.mesh import foot, hand_mesh, mesh_file
from handforge.files import write_atomic


def main() -> None:
    """Write both files beside the code."""
    write_atomic(hand_mesh.SHIPPED, mesh_file.dump(vars(hand_mesh.make_mean_hand())))
    write_atomic(foot.SHIPPED, mesh_file.dump(vars(foot.make_mean_foot())))


if __name__ == "__main__":
    main()
