"""Fine-tune a network on images of one's own: python examples/fine_tune.py RUN RENDERED MINE OUT [RECIPE]

RUN is the network to start from, RENDERED a rendered dataset, so that nothing is forgotten, MINE a dataset of one's own
annotated images (handforge dataset import ...), each of which stands ten times in every subset.
"""

import sys

import handforge

if __name__ == "__main__":
    run, rendered, mine, out, *recipe = sys.argv[1:]
    name = recipe[0] if recipe else "cpu-real"
    tuned = handforge.train(name, rendered, out, init=run, real=mine, replicate=10)
    print("handforge.HandDetector takes", tuned)
