"""Repetitive training.

launch       from the command line's words to a run, with progress
estimate     what a training will take, from a few steps
session      one session: a number of steps on one subset
repetition   the chain of sessions, kept and continued
run_folder   what a run writes, and when it may
saturation   when a session's loss stops falling
fine_tune    a training that goes on from a network, on own images
study        arms, seeds and tests: many runs, continued
study_command  the same from the command line
study_time   how long that takes
tensorboard  a run as TensorBoard shows it
distributed  several processes that train one network
"""
