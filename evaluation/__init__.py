"""Scores, tables and the report, from a dataset and a COCO results file.

results     a results file, checked against its truth
matching    who matches whom: one-to-one, by mask IoU
metrics     mean IoU, Acc, F1, TPH and the counts
ap          COCO's average precision, by pycocotools
runs        a trainer's run folder
figures     curves as SVG
gallery     thumbnails with outlines
report      the page
cli         hand-evaluation
"""
