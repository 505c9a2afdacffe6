"""Metrics for people.

console      tables on the terminal
figures      curves as SVG
gallery      thumbnails with outlines
photographs  the same of images without ground truth
sections     the report's tables, curves and training
page         the HTML page
"""
