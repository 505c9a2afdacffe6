"""A training as data.

study           arms that are trained, tested and compared, read from TOML and checked
recipe          network, images and sessions, checked
recipe_file     a recipe from TOML
named_toml      TOML files by the names under which the package has them
recipe_text     a recipe as TOML with a comment at every key
old_names       names that recipe keys had before
categories      what a network learns, by the names in the data
description     the ranges of what is said of a network beside its weights
tasks           what a network can be trained for
backbone_names  which backbones there are
"""
