"""What scenes are made of: objects and materials, which engines render.

props           what is around hands as objects
head_mesh       heads
object_meshes   objects by code, feet and arms as meshes
own_meshes      the user's own objects
materials       procedural materials
nodes           shader nodes in a line each
skin_material   skin, nails and what is drawn on them
glove_material  gloves
hand_material   which of these a hand has, and its rings
sleeve_mesh     a sleeve around the arm
"""
