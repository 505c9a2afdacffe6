"""Numbers for people.

runs      a trainer's run folder, read
tables    numbers as text, for terminal, report and CSV
console   tables on the terminal
figures   curves as SVG
gallery   thumbnails with outlines
sections  the report's tables, curves and training
page      the HTML page
"""
