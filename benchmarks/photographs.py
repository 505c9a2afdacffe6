"""A trained network beside MediaPipe Hands, on photographs, in one run.

    python benchmarks/photographs.py DIR ... --many DIR ... --mediapipe PYTHON --out photographs

DIR holds images/ and masks/, whose masks end at the wrist; with --many DIR the pieces of a mask are several hands. A
folder with images/ alone has no hand: whatever is found there is false. Without --weights the network is the one that
handforge ships. PYTHON is an interpreter with mediapipe==0.10.14, which ships its models and needs Python 3.11; without
it the network stands alone. Mask IoU and score from 0.5 on; AP is COCO's, over all scores; images a second are of
finding and cutting hands out, on this machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from handforge.dataset import Dataset, read_image
from trainer.inference.detections import result
from trainer.inference.detector import HandDetector

SCORE = 0.5
OTHER_SIDE = Path(__file__).with_name("mediapipe_hands.py")


def do(*words: object) -> None:
    """Run one of our commands."""
    subprocess.run([sys.executable, "-m", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


class Photographs:
    """One folder of photographs, as a dataset where it has masks.

    :param many: the pieces of a mask are several hands.
    """

    def __init__(self, folder: Path, out: Path, many: bool) -> None:
        self.name, self.out = folder.name, out / folder.name
        self.out.mkdir(parents=True, exist_ok=True)
        self.dataset: Path | None = None
        if (folder / "masks").is_dir():
            self.dataset = self.out / "dataset"
            if not self.dataset.is_dir():
                do("trainer", "import", "masks", folder, self.dataset, "--min-area", 50, *(["--split"] if many else []))
            records = Dataset(self.dataset)
            self.images = [(image["id"], records.image_path(image)) for image in records]
        else:
            self.images = list(enumerate(sorted((folder / "images").iterdir()), start=1))

    def row(self, who: str, results: Sequence[Mapping[str, Any]], seconds: float) -> str:
        """One line of the table."""
        sure = [entry for entry in results if entry["score"] >= SCORE]
        rate = f"{len(self.images) / seconds:.1f}"
        if self.dataset is None:
            images = len({entry["image_id"] for entry in sure})
            found = f"{len(sure)} false, in {images} images"
            return f"| {self.name} | {len(self.images)}, 0 | {who} | - | {found} | - | {rate} |"
        folder = self.out / who.replace(" ", "-")
        folder.mkdir(exist_ok=True)
        (folder / "results.json").write_text(json.dumps(results))
        do("evaluation", "score", self.dataset, folder / "results.json", "--json", folder / "score.json")
        score = json.loads((folder / "score.json").read_text())
        iou = "-" if score["mean_iou"] is None else f"{score['mean_iou']:.3f}"
        counts = f"{len(self.images)}, {score['hands']}"
        return f"| {self.name} | {counts} | {who} | {iou} | {score['f1']:.3f} | {score['ap']:.3f} | {rate} |"


def of_network(detector: HandDetector, photographs: Photographs) -> tuple[Sequence[Mapping[str, Any]], float]:
    """The network's results on photographs, and the seconds that it took."""
    results, seconds = [], 0.0
    for image_id, path in photographs.images:
        image = read_image(path)
        begin = time.perf_counter()
        (hands,) = detector.detect_batch([image])
        seconds += time.perf_counter() - begin
        results += [result(image_id, hand) for hand in hands]
    return results, seconds


def of_mediapipe(python: Path, photographs: Photographs) -> tuple[Sequence[Mapping[str, Any]], float]:
    """MediaPipe's results on photographs, and the seconds that it took."""
    images, out = photographs.out / "images.json", photographs.out / "mediapipe.json"
    images.write_text(json.dumps([[image_id, str(path.resolve())] for image_id, path in photographs.images]))
    command = [str(python), str(OTHER_SIDE), str(images), str(out)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return json.loads(out.read_text()), float(done.stdout.split()[-1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR")
    parser.add_argument("--many", nargs="*", type=Path, default=[], metavar="DIR")
    parser.add_argument("--weights", type=Path, help="default: the network that handforge ships")
    parser.add_argument("--tta", action="store_true")
    parser.add_argument("--mediapipe", type=Path, metavar="PYTHON")
    parser.add_argument("--out", type=Path, default=Path("photographs"))
    options = parser.parse_args()
    detector = HandDetector(options.weights, device="cpu", min_score=0.05, tta=options.tta)
    print("| set | images, hands | | IoU | F1 | AP | images a second |\n|---|---|---|---|---|---|---|")
    for folder in [*options.folders, *options.many]:
        photographs = Photographs(folder, options.out, folder in options.many)
        print(photographs.row("TTA" if options.tta else "network", *of_network(detector, photographs)), flush=True)
        if options.mediapipe:
            print(photographs.row("MediaPipe Hands", *of_mediapipe(options.mediapipe, photographs)), flush=True)


if __name__ == "__main__":
    main()
