"""A training as data.

recipe          network, images and sessions, read from TOML and checked
old_names  names that recipe keys had before
tasks           what a network can be trained for
backbone_names  which backbones there are
"""
