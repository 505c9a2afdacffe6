"""Pictures of hands with exact masks. Data flows downwards, one room to the next.

pose.py          the 28 numbers of a pose: names, order, units, limits
anatomy.py       bone lengths, girths, axes, with their sources; the shape parameters people vary
kinematics.py    where every bone and joint is for a pose, vectorised over poses
sweep.py         the pose sets: l2, l11, files of poses
plausibility.py  why a pose is kept or dropped
surface.py       the skin: mesh, weights and colours in the bind pose
settings.py      what a rendering run can be told
blender/         rig, scene, engines: the only room that imports bpy
run.py           planning frames, workers, continuing
dataset.py       the COCO dataset: frame, writer, reader, check
cli.py           hand-generator
"""

__version__ = "0.1.0"
