"""The hand's surface; pure numpy.

sdf            the skin as a signed distance field
meshing        a mesh of it
skin_weights   how bones move the mesh's vertices
skin_features  where palm, creases and nails are
hand_mesh      the mesh in the bind pose, in any shape
skinning       bend the mesh without Blender
skin_color     colour the skin
sleeve         a sleeve's shape
foot           a bare foot with its leg
cache          meshes kept in the user's cache folder
"""
