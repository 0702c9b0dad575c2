"""What the exported weights can do, measured through the program itself: `python -m evaluate --help`."""
