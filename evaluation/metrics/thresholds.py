"""The thresholds that hold where none is given."""

IOU = 0.5
"""A prediction finds a hand when their masks' IoU is at least this. The paper does not state its own."""

SCORE = 0.5
"""Predictions below this score are left out of everything but AP and curves, which are about all scores."""
