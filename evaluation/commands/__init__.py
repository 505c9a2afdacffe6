"""Commands that ``evaluation.cli`` gathers beside its own, and what they share.

options   how predictions are matched
paper     the paper's experiments: cases, ablation; zoom, sample and describe of datasets
"""
