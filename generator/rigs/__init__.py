"""An external rigged hand in place of the built-in one.

bone_map      which of its bones is which
guess         a bone map guessed from names
external_rig  its mesh and bones, brought to the mean hand's size and bind pose
"""
