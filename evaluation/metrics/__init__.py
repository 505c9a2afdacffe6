"""From ground truth and results to numbers.

results            a results file, checked against its ground truth
scope              what is compared with what
matching           one-to-one matching by mask IoU
wrist_crop         ground truth cut off at the wrist
thresholds         default thresholds
detection_metrics  mean IoU, Acc, F1, TPH and the counts
average_precision  COCO's average precision and recall, by pycocotools
box_keypoint_ap    the same of boxes and keypoints
curves             precision, recall and F1 over scores; metrics over IoU thresholds
bootstrap          95 % intervals, and paired differences
error_types        kinds of error; hands by size
boundary           boundary IoU
extended_metrics   all of these in one record
compare            several results side by side
"""
