"""The package's meshes: whole, what the code makes, and the same bytes each time."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from generator.mesh import foot, hand_mesh, mesh_file
from generator.mesh.sdf import Skin


def test_the_hand_lies_on_its_implicit_skin():
    """Away from folds and nails, which are in relief; tells when the skin was changed and the mesh was not."""
    mesh = hand_mesh.build()
    flat = (mesh.crease < 0.01) & (mesh.nail < 0.01)
    distance = np.abs(Skin()(mesh.vertices[flat].astype(float) * hand_mesh.MM))
    assert np.quantile(distance, 0.99) < 0.2 and distance.max() < 1.5, "millimetres"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shipped", "make"), [(hand_mesh.SHIPPED, hand_mesh.make_mean_hand), (foot.SHIPPED, foot.make_mean_foot)]
)
def test_the_code_makes_what_comes_along(shipped, make):
    kept, made = mesh_file.read(shipped), vars(make())
    assert kept.keys() == made.keys()
    assert len(made["vertices"]) == pytest.approx(len(kept["vertices"]), rel=0.002)
    apart, nearest = cKDTree(kept["vertices"]).query(made["vertices"])
    assert np.quantile(apart, 0.99) < 1e-5 and apart.max() < 5e-4, "metres: another processor rounds differently"
    for name in made.keys() - {"vertices", "faces"}:
        assert np.abs(made[name] - kept[name][nearest]).mean() < 1e-3, name


def test_a_mesh_file_holds_the_same_bytes_each_time(tmp_path):
    arrays = {"vertices": np.eye(3, dtype=np.float32), "faces": np.arange(3, dtype=np.int32)[None]}
    assert mesh_file.dump(arrays) == mesh_file.dump(arrays)
    (tmp_path / "mesh.npz").write_bytes(mesh_file.dump(arrays))
    assert np.array_equal(mesh_file.read(tmp_path / "mesh.npz")["faces"], arrays["faces"])


def test_a_damaged_mesh_is_told(tmp_path):
    (tmp_path / "mesh.npz").write_bytes(b"PK\x03\x04 cut short")
    for path in (tmp_path / "mesh.npz", tmp_path / "none.npz"):
        with pytest.raises(mesh_file.MeshFileError, match=f"{path.name} cannot be read .*; install handforge again"):
            mesh_file.read(path)
