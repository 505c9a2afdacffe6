"""Scores, tables and the report, from a dataset and a COCO results file."""
