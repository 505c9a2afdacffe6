"""Networks by repetitive training, on any COCO dataset folder.

config/     recipes: a training as data; tasks
data/       images decoded once, augmented, drawn into batches
models/     networks, their layer groups, weights on disk
loop/       sessions, the chain of them, run folders, the study
commands/   what the command line can do
inference/  from a network to COCO results: inputs, detections, test-time augmentation, export
recipes/    the built-in recipes, as TOML
weights/    the shipped networks

errors      what is raised for wrong input
cli         hand-trainer
"""

import os

if "OMP_WAIT_POLICY" not in os.environ:
    # OpenMP's threads spin while they wait, and so take the cores from any other process: two trainings beside each
    # other are several times slower than one after the other. Read once, when torch is loaded.
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
