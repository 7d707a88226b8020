"""What draws the miniatures: scenes that a seed decides, written in the layouts of four datasets.

One module per dataset writes it (cityscapes.py, voc.py, youtube.py, nyud.py); street/, shapes/ and
rooms/ draw what it shows, with the tools that lie beside them (render, sketch, photo).
"""
