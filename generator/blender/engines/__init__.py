"""Engines: from a posed frame to render layers.

registry       which engines run here, and why the others do not
render_layers  what an engine returns; the light's formula
plain          hands before a plain background or an image
indoor         an indoor scene rendered with Cycles
raster         own shader, the fastest
cycles         Cycles, runs everywhere
viewport       EEVEE and Workbench, for machines with a GPU
bump           bump mapping of the skin
tiles          the parts of an image that Cycles has to render
exr            read back what Blender rendered
"""
