"""Objects that people hold or that lie about, by code: signed distances and meshes; pure numpy.

solids       surfaces of revolution, boxes and tubes
surfaces     what they are made of
catalog      what is held: phone, pen, cup, tools, fruit
own_objects  the user's own, from .glb and .obj files
makers       all of these by kind, drawn from a seed
categories   one category for each kind of object
grasps       hands that close around what they hold
food         what is eaten, on plates and boards
figures      dolls, mannequins, shoes, leather
lookalikes   empty gloves, combs, rakes, branches: what has fingers
"""
