"""A study of training schedules: what its runs say about its question.

results      a study's folder, read: losses and scores of every run
statistics   paired differences over seeds, with intervals
selection    what choosing one of the sessions brings
conclusion   sentences that follow from the numbers by rule
figures      Fig. 2 of the paper, loss curves, differences
tables       the study's numbers as tables
page         the HTML page and its numbers as JSON
"""
