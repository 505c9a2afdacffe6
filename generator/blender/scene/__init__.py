"""What is around the hand: indoor scenes and their parts.

indoor          an indoor scene rendered with Cycles
arm_view        where the arm and the camera are, for placing objects
props           tables, walls, objects and distractors
furniture       furniture
bodies          the people whose hands are seen, and their table
people          people in the background
head_mesh       heads
empty           images without a hand
object_meshes    objects by code, feet and arms as meshes
own_meshes      the user's own objects
occluders       objects before the hand
materials       procedural materials
nodes           shader nodes in a line each
skin_material   skin, nails and what is drawn on them
glove_material  gloves
hand_material   which of these a hand has, and its rings
sleeve_mesh     a sleeve around the arm
transforms      rotations and matrices
"""
