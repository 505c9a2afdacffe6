"""Optimisers that torch lacks.

muon  Muon
"""
