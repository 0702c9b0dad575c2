"""Evaluates the exported weights through the program itself: `python -m evaluate --help`."""
