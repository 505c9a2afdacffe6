"""Runs of the trainer, read.

run_folder  a run folder: its record, losses and predictions
sessions    which session's network made predictions
paths       paths as a page shows them
"""
