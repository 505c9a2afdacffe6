"""The summary that ``predict`` ends with."""

from __future__ import annotations

from pathlib import Path

from handforge.progress import rate_text
from handforge.run_records import PredictionRecord
from handforge.text import counted, printable
from trainer.inference.predict import MADE

MOST_SHOWN = 20
"""Skipped files that are listed in the terminal; ``predict.json`` has all."""


def summary_lines(record: PredictionRecord, out: Path) -> list[str]:
    """The lines of a summary: how many images and detections, where the files are, what was skipped or is left.

    :param record: what ``predict.json`` says.
    :param out: the folder of the predictions.
    """
    rate = record["images"] / max(record["seconds"], 1e-9)
    least = f"of score {record['drawn_score']:g} and more"
    counts = ", ".join(f"{name} {number}" for name, number in record["detections"].items())
    lines = [
        f"{counted(record['images'], 'image')}, {rate_text(rate, 'images')}",
        f"detections {least}: {counts}; images without any: {record['images_without']}",
        f"written: {', '.join(str(out / name) for name in MADE if (out / name).exists())}",
    ]
    if turned := record["images_turned_upright"]:
        lines.append(f"{counted(turned, 'image')} stored rotated (EXIF); all results refer to the upright images")
    if left := record["left"]:
        lines.append(
            f"unfinished: interrupted before {counted(len(left), 'file')} could be done (left in "
            f"{out / 'predict.json'}); the same command does all again"
        )
    lines += record["notes"]
    if skipped := record["skipped"]:
        lines.append(f"skipped, because they cannot be read to their end: {len(skipped)}")
        lines += [f"  {entry['reason']}" for entry in skipped[:MOST_SHOWN]]
        if len(skipped) > MOST_SHOWN:
            lines.append(f"  and {len(skipped) - MOST_SHOWN} more, see {out / 'predict.json'}")
    return [printable(line) for line in lines]
