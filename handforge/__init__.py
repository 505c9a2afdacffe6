"""handforge: images of hands with exact masks, and networks that segment hands.

The floor that all other packages stand on.

dataset/  the COCO dataset folder: records, reader, writer, validation, subsets, importers
files     files and folders that appear whole or not at all
console   what all commands share: errors, exit codes, progress
errors    what is raised for wrong input
"""

__version__ = "0.1.0"
