"""Images for training.

images         checked and decoded once, drawn into batches
augment        random changes of an image and its ground truth
feature_cache  what frozen stages make of an image, computed once
"""
