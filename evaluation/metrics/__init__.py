"""From ground truth and results to metrics.

results            a results file, checked against its ground truth
prediction_record  what predict.json says of results
not_predicted      images that were skipped, or left by Ctrl-C
image_ids          which image a result belongs to
scope              which categories are scored
matching           one-to-one matching by mask IoU
wrist_crop         ground truth cut off at the wrist
paper_metrics      mean IoU, Acc, F1, TPH and the counts
by_category        the same of each category, their mean, confusion
average_precision  COCO's average precision and recall, by pycocotools
box_keypoint_ap    the same of boxes and keypoints
classification     top-1 and confusion of whole images' classes
curves             precision, recall and F1 over scores; metrics over IoU thresholds
bootstrap          95 % intervals, and paired differences
error_types        kinds of error; recall by size
boundary           boundary IoU
extended_metrics   all of these in one record
compare            several results side by side
"""
