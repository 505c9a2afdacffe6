"""A hand's pose and what follows from it; pure numpy.

pose                the 28 numbers of a pose: names, order, units, limits
anatomy             bone lengths, girths, axes, with their sources; the shape parameters people vary
kinematics          where every bone and joint is for a pose, vectorised over poses
inverse_kinematics  the pose of bones that were rotated by hand
fitting             a pose from joints in an image or in space; fingertips that reach for a point
finger_motions      curl and spread of a finger
pose_presets        poses that have names
sweep               v4 and v5 by 2 degrees: l2, and l11 with moving fingers
pose_sets           all sets of poses by name, and files of poses
finger_sets         plausible fingers, signs, gestures and grasps
grasp_poses         fingers that hold something
camera              the pinhole camera: where a point falls in the image
vectors             types of fields of records in JSON: small arrays, words
plausibility        why a pose is kept or dropped
plausibility_plot   kept and dropped poses as a figure
sweep_map           kept and dropped poses as an image
"""
