"""What is around hands indoors, in numbers: light, clothes, props, people, the camera. Nothing of Blender.

surroundings  all of it, drawn for one frame
lamps         environment, sun and flash
arm_wear      sleeves and watches
props         shapes, where they stand; tables, walls
rooms         floors, walls, furniture that stands on them
furniture     pieces of several parts
bodies        the people whose hands are seen, and their table
people        people in clothes, in the background or around hands; limbs
empty         around what an image without a hand shows
occluders     props before the hand or in it
glass         panes and drinking glasses before the hand
mirror        mirrors behind it
pocket        pockets that hands are in
materials     what all of them are made of
shapes        names of shapes
arm_view      where the arm and the camera are
transforms    rotations and matrices
"""
