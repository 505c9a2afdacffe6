"""What the trainer raises for wrong input; one sentence that names the thing and the remedy."""

from handforge.errors import HandforgeError


class TrainerError(HandforgeError):
    """Something asked of the trainer, or given to it, cannot be used."""


class RecipeError(TrainerError):
    """A recipe, or what was asked of it, cannot be followed; the text names every problem."""


class StudyError(TrainerError):
    """A study cannot be made; the text names every problem."""


class WeightsError(TrainerError):
    """Weights cannot be had or do not fit; the text says which and what to do."""


class CheckpointError(TrainerError):
    """A weights file is missing, damaged, or not what it should be."""


class RunFolderError(TrainerError):
    """A folder cannot be used for this run; the text says why and what to do."""


class OutputError(TrainerError):
    """An output folder cannot be used; the text says why and what to do."""


class TrainingDivergedError(TrainerError):
    """The loss or its gradient is no finite number any more; the text names session, step and images."""
