"""Networks for hands by repetitive training, on any COCO dataset folder of them.

What it knows, from data to a network that finds hands:

==================  ================================================================
``recipe``          a training as data: network, pictures, sessions; ``recipes/*.toml``
``importers``       real sets and drawn annotations as dataset folders
``data, augment``   pictures checked and decoded once, changed, drawn into batches
``tasks``           what a network can be trained to find
``model``           the networks, their layer groups, where their weights start
``semantic``        DeepLabV3, and the R-CNNs' pyramid alone, called as the others are
``frozen``          what frozen stages make of a picture, kept
``muon``            the optimiser Muon
``pooling``         ROI align for training on a CPU
``session``         so many steps on one pool of pictures
``repetition``      the chain of sessions on random subsets, kept and continued
``run_folder``      what a run writes, and when it may
``saturation``      when a session's loss stops falling
``study``           conventional beside repetitive training
``board``           a run as TensorBoard shows it
``checkpoint``      weights on disk, only ever data
``source, video``   pictures, folders, datasets, videos and cameras, one picture at a time
``predict``         hands of these
``found``           what a network finds in a picture, written and drawn
``edges``           masks whose outline follows the picture's edges
``views``           test-time augmentation: several views of a picture
``agreement``       scores on which a second network has its say
``export``          networks for other programs
``errors``          what users are told
``parallel``        several processes that train one network
``training, cli``   the command ``hand-trainer``
==================  ================================================================
"""
