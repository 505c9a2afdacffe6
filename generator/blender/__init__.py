"""All of Blender that the generator uses: the only package that imports bpy.

Data goes one way: pose -> armature -> evaluated mesh -> engine, so what is posed in Blender's window is what is
rendered, but for the knuckles and folds that a frame's surface has (:mod:`generator.mesh.bend_shapes`).

frame_renderer   one frame: pose and frame spec in, image and ground truth out
rig              the hand as a Blender object with an armature; posing it; its posed surface
attributes       attributes of a mesh's points as arrays
hand_surface     a hand's points, colors and other attributes, bare or in a glove
posed_frame      a decided frame whose hands are posed: what engines render
region           hand, forearm, cloth: what a point of an arm belongs to
rig_file         read an external rigged hand from a .blend, .glb or .fbx file
engines/         from a posed hand to render layers
scene/           what scenes are made of: objects and materials
redirect_output  keep Blender's own output off the terminal
"""
