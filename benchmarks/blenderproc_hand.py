"""The other side of generation.py's comparison, run by a Python with BlenderProc and bpy: hands by BlenderProc alone.

blenderproc_hand.py FOLDER WIDTH HEIGHT SAMPLES   with FOLDER/hand.npz: vertices (N, V, 3) in metres, faces (F, 3).
It writes FOLDER/seconds.txt: how long an image with mask and COCO annotation takes, the median without the first one.
Such a Python 3.11 is made by: pip install blenderproc "bpy==4.5.*" "numpy<2" trimesh pyrender h5py scikit-image
scikit-learn opencv-contrib-python-headless pypng pytz imageio gitpython python-dateutil matplotlib
BlenderProc's own start downloads a Blender and installs into it; here it gets the one that pip has installed.
"""

import os
import sys
import time
import types
from pathlib import Path

import bpy
import numpy as np


class SetupUtility:
    """In the place of BlenderProc's, which installs what is installed already."""

    setup = staticmethod(lambda packages: None)


os.environ["INSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT"] = "1"
sys.path.append(next(path for path in sys.path if Path(path, "blenderproc").is_dir()))  # it removes one of the two
name = "blenderproc.python.utility.SetupUtility"
sys.modules[name] = types.ModuleType(name)
sys.modules[name].SetupUtility = SetupUtility  # type: ignore[attr-defined]  # a stand-in has what it is given
import blenderproc as bproc  # noqa: E402
from blenderproc.python.renderer import RendererUtility  # noqa: E402
from blenderproc.python.utility import Initializer  # noqa: E402
from blenderproc.python.utility.GlobalStorage import GlobalStorage  # noqa: E402
from blenderproc.python.utility.Utility import Utility  # noqa: E402


def main() -> None:
    """Render each hand as BlenderProc's examples do: colours and segmentation, then one COCO file that grows."""
    folder, width, height, samples = Path(sys.argv[-4]), *(int(word) for word in sys.argv[-3:])
    with np.load(folder / "hand.npz") as given:
        poses, faces = given["vertices"], given["faces"]
    Utility.temp_dir = str(folder)
    bproc.clean_up(clean_up_camera=True)  # what bproc.init() does, without the language, which pip's Blender has not
    bpy.context.scene.render.engine = "CYCLES"
    RendererUtility.set_render_devices()
    Initializer._Initializer.set_default_parameters()
    GlobalStorage.add("bproc_init_complete", True)
    data = bpy.data.meshes.new("hand")
    data.from_pydata(poses[0].tolist(), [], faces.tolist())
    data.materials.append(bpy.data.materials.new("skin"))
    thing = bpy.data.objects.new("hand", data)
    bpy.context.scene.collection.objects.link(thing)
    thing["category_id"] = 1
    light = bproc.types.Light()
    light.set_type("SUN")
    light.set_energy(3)
    light.set_rotation_euler([0.6, -0.3, 0])
    bproc.camera.set_resolution(width, height)
    bproc.camera.set_intrinsics_from_K_matrix(
        [[1.25 * width, 0, width / 2], [0, 1.25 * width, height / 2], [0, 0, 1]], width, height
    )
    bproc.renderer.set_max_amount_of_samples(samples)
    bproc.renderer.set_noise_threshold(0)
    bproc.renderer.set_cpu_threads(0)  # all; its default is one
    bproc.renderer.set_denoiser(None)
    bproc.renderer.set_world_background([1, 1, 1])
    bproc.renderer.enable_segmentation_output(
        map_by=["category_id", "instance", "name"], default_values={"category_id": 0}
    )
    seconds = []
    for vertices in poses:
        begin = time.perf_counter()
        data.vertices.foreach_set("co", vertices.ravel())
        data.update()
        bproc.utility.reset_keyframes()
        bproc.camera.add_camera_pose(bproc.math.build_transformation_mat([0, -1, 0], [np.pi / 2, 0, 0]))
        made = bproc.renderer.render(verbose=False)
        bproc.writer.write_coco_annotations(
            str(folder / "coco"),
            instance_segmaps=made["instance_segmaps"],
            instance_attribute_maps=made["instance_attribute_maps"],
            colors=made["colors"],
            color_file_format="PNG",
            append_to_existing_output=True,
        )
        seconds.append(time.perf_counter() - begin)
    (folder / "seconds.txt").write_text(str(float(np.median(seconds[1:]))))


main()
