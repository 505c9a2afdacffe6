"""Pictures of hands with exact masks. Data flows downwards, one room to the next.

Poses
    pose.py          the 28 numbers of a pose: names, order, units, limits
    anatomy.py       bone lengths, girths, axes, with their sources; the shape parameters people vary
    kinematics.py    where every bone and joint is for a pose, vectorised over poses
    inverse.py       the pose of bones that somebody turned; rigmap.py does it for other people's rigged hands
    presets.py       poses that have names
    sweep.py         the pose sets: l2, l11, files of poses
    camera.py        where a point falls in the picture
    plausibility.py  why a pose is kept or dropped; plot.py and sweepmap.py draw it
The hand
    implicit.py      the skin as an implicit surface; meshing.py and weights.py make a mesh of it that bends
    surface.py       the mesh in the bind pose, in any shape; skinning.py bends it without Blender
    rigged.py        somebody's rigged hand as if it were ours
    markings.py      where palm, creases and nails are; skin.py colours them
Pictures
    settings.py      what a rendering run can be told
    sleeve.py        a sleeve's shape
    look.py          what one frame looks like; photo.py what a camera does to it
    elbow.py         an arm that is bent; pair.py a second hand beside the first; backgrounds.py pictures behind them
    truth.py         depth, normals and parts of a picture, on request
    blender/         rig, scene, engines: the only room that imports bpy
    sources.py       somebody's backgrounds and rig, told from others
    run.py           planning frames, continuing; folder.py, workers.py, cluster.py carry it out
    dataset/         the COCO dataset: frame, writer, reader; checking.py, preview.py look at it
    cli.py           hand-generator
    errors.py        what is raised for wrong input
    job.py           a run for a program with a window; extension.py makes the zip that Blender installs
"""

__version__ = "0.1.0"
