"""Classes of whole images: top-1 accuracy, and which class is taken for which."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.metrics.bootstrap import Difference, difference_of_means
from evaluation.metrics.by_category import Confusion
from evaluation.metrics.not_predicted import not_predicted
from evaluation.metrics.results import read_entries
from handforge.dataset import Dataset, DatasetError, group_numbers
from handforge.dataset.coco_types import ImageRecord


@dataclass(frozen=True)
class ClassMetrics:
    """The images of one class.

    :param images: the number of them.
    :param recall: the fraction of them that is predicted as this class; None where there are none.
    :param precision: the fraction that is of this class of those predicted as it; None where there are none.
    """

    images: int
    recall: float | None
    precision: float | None


@dataclass(frozen=True)
class Classified:
    """Predicted classes, scored.

    :param images: those with one annotated class.
    :param top1: the fraction of them whose most probable class is the annotated one.
    :param mean_recall: the mean over the classes that have images.
    :param classes: by name, in the dataset's order.
    :param confusion: rows are annotated, columns predicted; the last column counts images without a prediction.
    :param notes: how results were matched with images, and what was left out.
    """

    images: int
    top1: float
    mean_recall: float
    classes: dict[str, ClassMetrics]
    confusion: Confusion
    notes: list[str]
    right: list[bool] = field(repr=False)
    """Of each of these images whether the class is right, in the dataset's order."""
    group: np.ndarray = field(repr=False)
    """Which of these images belong together, as :func:`handforge.dataset.groups.group_numbers` has it."""

    def to_json(self) -> dict[str, Any]:
        """Return it as ``score --json`` has it."""
        return {"of": "classes", **{k: value for k, value in asdict(self).items() if k not in ("right", "group")}}

    def rise(self, first: Classified) -> Difference:
        """By how much top-1 is higher than another's of the same dataset: (difference, lower, upper), 95 %, paired."""
        return difference_of_means(np.array(first.right), np.array(self.right), self.group)


def score(dataset: Dataset, results: Path) -> Classified:
    """Compare the result with the highest score of each image with the category of its annotations.

    Images whose annotations, crowds aside, are of no category or of several are left out.

    :param results: as :func:`evaluation.metrics.results.read_entries`; of a result ``bbox`` has to be there.
    :raises ResultsError: as :func:`evaluation.metrics.results.read_entries`.
    :raises DatasetError: if no image has one class.
    """
    entries, notes = read_entries(results, dataset, "bbox")
    best: dict[int, Any] = {}
    for entry in entries:  # of equal scores the first
        if entry.image_id not in best or entry.score > best[entry.image_id].score:
            best[entry.image_id] = entry
    annotated = {image["id"]: _classes(dataset, image) for image in dataset}
    truth = {number: next(iter(names)) for number, names in annotated.items() if len(names) == 1}
    if not truth:
        raise DatasetError(f"{dataset.path}: no image has objects of one category alone; classes cannot be scored")
    if len(truth) < len(dataset):
        notes = [*notes, f"{len(dataset) - len(truth)} of {len(dataset)} images have no class or several; left out"]
    names = [category.name for category in dataset.category_list]
    notes = [*notes, *not_predicted(results, dataset, names)]
    known = {*truth.values(), *(best[number].category for number in truth if number in best)}
    shown = [name for name in names if name in known] + sorted(known - set(names))
    index = {name: place for place, name in enumerate(shown)}
    counts = np.zeros((len(shown) + 1, len(shown) + 1), int)
    for number, name in truth.items():
        counts[index[name], index[best[number].category] if number in best else -1] += 1
    correct, rows, columns = counts.diagonal()[:-1], counts.sum(1)[:-1], counts.sum(0)[:-1]
    classes = {
        name: ClassMetrics(
            int(rows[i]),
            float(correct[i] / rows[i]) if rows[i] else None,
            float(correct[i] / columns[i]) if columns[i] else None,
        )
        for name, i in index.items()
    }
    recalls = [found.recall for found in classes.values() if found.recall is not None]
    return Classified(
        images=len(truth),
        top1=float(correct.sum() / len(truth)),
        mean_recall=float(np.mean(recalls)),
        classes=classes,
        confusion=Confusion(shown, counts.tolist()),
        notes=notes,
        right=[number in best and best[number].category == name for number, name in truth.items()],
        group=group_numbers(image for image in dataset if image["id"] in truth),
    )


def _classes(dataset: Dataset, image: ImageRecord) -> set[str]:
    """The names of the categories of an image's objects."""
    names = {dataset.category(a) for a in dataset.annotations(image) if not a.get("iscrowd")}
    return {name for name in names if name}
