"""Scores, tables and the report, from a dataset and a COCO results file.

metrics/  matching, the paper's metrics, COCO's, intervals, error types
runs/     the trainer's run folders, read
records   JSON records, read and checked
tables    metrics as text, for terminal, report and CSV
paper/    the published cases and types beside ours
report/   tables on the terminal, and the HTML page
commands/  the paper's commands, and options that commands share
study/    a study of training schedules: intervals over seeds, and its page

cli       hand-evaluation
"""
