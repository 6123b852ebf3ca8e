"""Measurements: `make bench`. What counts is the ratio to bare SQL or a bare view of the same run, not the seconds."""
