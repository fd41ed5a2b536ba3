"""The parts of the reader of a shop's own log, `custom.py`."""
