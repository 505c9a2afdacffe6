"""A rendering run, from settings to a dataset folder.

run           plan the frames, continue, finish
judged        which poses are plausible, remembered
run_folder    whose a run's folder is, and finishing it
records       frames that are done
shards        parts of a run that are put together
workers       processes on this machine
dask_cluster  workers of a Dask scheduler
estimate      what a run will take, from a few frames
fingerprint   external inputs (backgrounds, rigs) told apart by their content
frame_file    one frame as JSON, drawn and rendered
gui_messages  what a program with a window and its processes tell each other
gui_job       a run for a program with a window
gui_preview   one image at a time for a program with a window
"""
