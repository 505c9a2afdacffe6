"""Steps a second of a session, beside torchvision's reference loop, in one run: same model, data and settings.

    python benchmarks/training.py DATASET [--steps 20] [--json FILE]

The reference is the loop of torchvision's detection references written out: a Dataset that decodes picture and masks
each time, a DataLoader with one worker, float32, the default memory layout, and SGD on what is to be trained. Both
train the same ResNet-18 on the same pictures in the same order at 384x216, batch 4. Loss is the mean of the last
quarter of the steps; memory is the process's peak, taken in a process of its own for each.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

from generator.dataset import Dataset
from trainer import model as networks
from trainer import session as sessions
from trainer.data import Pictures, target, tensor
from trainer.recipe import Network, PictureSettings, Session

PICTURES = PictureSettings(216, 384, "none")
NETWORK = Network("resnet18", "none")
WARM_STEPS = 3


def job(folder: str, layers: str, steps: int) -> sessions.Job:
    """The session that both loops train."""
    settings = Session(layers=layers, steps=steps, batch=4, rois=200, lr=0.005, warmup_steps=10)
    dataset = Dataset(folder)
    dataset.images = dataset.images[:64]
    device = torch.device("cpu")
    pictures = Pictures([dataset], PICTURES)
    return sessions.Job(
        1, settings, pictures, np.arange(len(dataset)), 0, device, networks.best_precision(device), workers=1
    )


def ours(work: sessions.Job) -> tuple[list[float], float]:
    """Losses and seconds a step of this package's session."""
    model = networks.start(NETWORK, PICTURES, 0).to(memory_format=torch.channels_last)
    optimizer = sessions.begin(model, work.session)
    losses: list[float] = []
    begin = 0.0
    for row in sessions.run(model, work, optimizer):
        losses.append(row["loss"])
        if len(losses) == WARM_STEPS:
            begin = time.perf_counter()
    return losses, (time.perf_counter() - begin) / (len(losses) - WARM_STEPS)


class Decoding(torch.utils.data.Dataset):
    """Pictures in the session's order, decoded when asked for."""

    def __init__(self, folder: str, work: sessions.Job) -> None:
        self.dataset = Dataset(folder)
        self.order = [index for step in range(work.session.total_steps) for index in sessions.drawn(work, step)]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        image = self.dataset.images[self.order[place]]
        return tensor(self.dataset.picture(image)), target(np.array(self.dataset.masks(image)))


def collate(batch: list) -> tuple:
    """Lists of pictures and targets, as torchvision's references do."""
    return tuple(zip(*batch, strict=True))


def reference(folder: str, work: sessions.Job) -> tuple[list[float], float]:
    """Losses and seconds a step of torchvision's reference loop."""
    model = networks.start(NETWORK, PICTURES, 0)
    optimizer = sessions.begin(model, work.session)
    model.train()
    loader = torch.utils.data.DataLoader(Decoding(folder, work), 4, num_workers=1, collate_fn=collate)
    losses: list[float] = []
    begin = 0.0
    for step, (images, targets) in enumerate(loader):
        for group in optimizer.param_groups:
            group["lr"] = sessions.learning_rate(work.session, step)
        loss = torch.stack(list(model(list(images), list(targets)).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), work.session.clip_norm)
        optimizer.step()
        losses.append(float(loss.detach()))
        if len(losses) == WARM_STEPS:
            begin = time.perf_counter()
    return losses, (time.perf_counter() - begin) / (len(losses) - WARM_STEPS)


def measure(folder: str, loop: str, layers: str, steps: int) -> dict[str, float]:
    """One loop in this process."""
    work = job(folder, layers, steps)
    losses, seconds = ours(work) if loop == "ours" else reference(folder, work)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if loop == "reference":  # its worker is a process of its own
        peak += resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {"seconds": seconds, "loss": float(np.mean(losses[-max(1, steps // 4) :])), "peak_mib": peak / 1024}


def main() -> None:
    """Measure both loops for ``all`` and ``heads``, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, metavar=("LOOP", "LAYERS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.dataset, *options.one, options.steps)))
        return
    found: dict[str, dict[str, dict[str, float]]] = {}
    for layers in ("all", "heads"):
        found[layers] = {}
        for loop in ("reference", "ours"):
            command = [sys.executable, __file__, options.dataset, "--steps", str(options.steps), "--one", loop, layers]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            one = found[layers][loop] = json.loads(done.stdout.splitlines()[-1])
            print(
                f"{layers:6} {loop:10} {1 / one['seconds']:6.2f} steps/s   "
                f"loss {one['loss']:.3f}   peak {one['peak_mib']:.0f} MiB"
            )
        print(
            f"{layers:6} {found[layers]['reference']['seconds'] / found[layers]['ours']['seconds']:.2f} times as fast"
        )
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
