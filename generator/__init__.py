"""Pictures of hands with exact masks. Data flows downwards, one room to the next.

pose.py          the 28 numbers of a pose: names, order, units, limits
anatomy.py       bone lengths, girths, axes, with their sources; the shape parameters people vary
kinematics.py    where every bone and joint is for a pose, vectorised over poses
inverse.py       the pose of bones that somebody turned; rigmap.py does it for other people's rigged hands
sweep.py         the pose sets: l2, l11, files of poses
plausibility.py  why a pose is kept or dropped
sweepmap.py      a part of a sweep and its map over v4 and v5
surface.py       the skin: mesh, weights and colours in the bind pose
settings.py      what a rendering run can be told
blender/         rig, scene, engines: the only room that imports bpy
run.py           planning frames, workers, continuing
dataset.py       the COCO dataset: frame, writer, reader, check
cli.py           hand-generator
job.py           a run for a program with a window
extension.py     the zip that Blender installs
"""

__version__ = "0.1.0"
