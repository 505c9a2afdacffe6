"""Metrics for people.

runs         a trainer's run folder, read
sessions     which session's network made predictions
tables       metrics as text, for terminal, report and CSV
console      tables on the terminal
figures      curves as SVG
gallery      thumbnails with outlines
photographs  the same of images without ground truth
paths        paths as a page shows them
sections     the report's tables, curves and training
page         the HTML page
"""
