"""All of Blender that the generator uses: the only room that imports bpy.

silence.py   keeps Blender's own chatter off the terminal
rigfile.py   reading somebody's rigged hand from a .blend, .glb or .fbx file
rig.py       the hand as a Blender object with an armature; posing it; its posed surface
clothes.py   a sleeve before a plain background
drawing.py   what engines return, and what they share
relief.py    the fine relief of the skin there
raster.py    the fast engine: our shader on Blender's gpu module, off screen
cycles.py    the engine that runs everywhere
boxes.py     which parts of a picture it has to draw
viewport.py  the engines for machines with a GPU
room.py      hands in rooms: Cycles with light and shadow
placing.py   rotations, and the matrices that put a shape in its place
view.py      what the camera sees of the arm there, and where there is room for something
props.py     what stands around the hand there
furniture.py what of that is made of several parts
heads.py     faces, ears, hair
people.py    who stands behind it, and what else has the colours of skin
occluders.py what stands before it
materials.py what it is made of
exr.py       Cycles' result as arrays
engines.py   which engines run here, and why the others do not
render.py    one frame: pose and look in, picture and truth out

Data goes one way: pose -> armature -> evaluated mesh -> engine, so what is posed in Blender's window is what is drawn.
"""
