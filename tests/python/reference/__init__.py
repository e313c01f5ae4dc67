"""The naive reference: the whole computation once more, one event at a time, to be read as the specification.

Sums are Python integers. Everything after them is `decimal` with fifty digits, so that what the engine does in binary
floating point is compared with numbers that are right. Nothing here is fast and nothing here knows the engine.
"""
