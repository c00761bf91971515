"""Weights that users bring or ask for: a table of what is known, one folder, nothing ever unpickled in this process.

``table``: rows, licences, where files are published. ``store``: what is installed. ``convert``: any file that
circulates as safetensors, in a restricted process. ``download``: on an explicit yes. ``licence``: what may be used.
"""
