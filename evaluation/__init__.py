"""Scores, tables and the report, from a dataset and a COCO results file.

results     a results file, checked against its truth
category    hands, or hands with forearms: what is compared with what
matching    who matches whom: one-to-one, by mask IoU
region      truth cut off at the wrist
thresholds  what holds where none is given
metrics     mean IoU, Acc, F1, TPH and the counts
ap          COCO's average precision and recall, by pycocotools
boxes       the same of boxes and keypoints
curves      precision, recall and F1 over scores; numbers over IoU thresholds
bootstrap   95 % intervals, and paired differences
breakdown   kinds of error; hands by size
boundary    boundary IoU
details     all of these in one record
compare     several results side by side
paper       the published cases
types       types A to R
cases       the published cases beside ours, and ablations
tables      numbers as text, for screen, report and CSV
screen      tables on the screen
runs        a trainer's run folder
figures     curves as SVG
gallery     thumbnails with outlines
sections    the report's tables, curves and training
testsets    zoomed and sampled test sets
report      the page
cli         hand-evaluation
"""
