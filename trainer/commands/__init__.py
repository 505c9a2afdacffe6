"""The commands, gathered by ``trainer.cli``.

training   train, repeat, fine-tune, study
networks   what a trained network is taken for: predict, average, export
"""
