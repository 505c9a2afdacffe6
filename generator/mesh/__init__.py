"""The hand's surface, and others that are bent or worn; pure numpy.

sdf            the skin as a signed distance field
meshing        a mesh of it
skin_weights   how bones move the mesh's vertices
skin_features  where palm, creases and nails are
hand_mesh      the mesh in the bind pose, in any shape
hand_chart     which digit each vertex is on, and where along it
gloves         gloves as they are sold
glove_mesh     what a glove does to the surface
skin_look      one person's skin, nails and what is drawn on them
rings          finger rings
bend_shapes    what bending does to the surface: knuckles, pads, folds
skinning       bend the mesh without Blender
skin_color     colour the skin
sleeve         a sleeve's shape
foot           a bare foot with its leg
limb_skin      what feet and bare arms have on and under their skin
sheet          a bed's sheet
person_mesh    clothes, neck, limbs and long hair of people
mesh_file      the meshes in files of the package
build_meshes   write these files
"""
