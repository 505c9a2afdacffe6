"""Images of hands with exact ground truth. Data flows from top to bottom.

hand/      the 28 numbers of a pose, kinematics, the sweep, plausibility
mesh/      the hand's surface: signed distances, mesh, skin weights, skin features and colours, sleeves
objects/   objects by code, with signed distances
rigs/      an external rigged hand in place of the built-in one
frame/     settings, and all that is decided for one frame
blender/   engines and scenes; the only package that imports bpy
pipeline/  a run: planning frames, workers, its folder, continuing

maths      small maths that several parts need
errors     what is raised beside handforge.errors
extension  the zip that Blender installs
cli        hand-generator
settings_options  settings as options of commands
"""
