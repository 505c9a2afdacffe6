"""Objects that people hold or that lie about, by code: signed distances and meshes; pure numpy.

solids      surfaces of revolution, boxes and tubes
surfaces    what they are made of
catalog     what is held: phone, pen, cup, tools, fruit
categories  one category for each kind of object
grasps      hands that close around what they hold
food        what is eaten, on plates and boards
figures     dolls, mannequins, shoes, leather
"""
