"""Steps a second of a session beside torchvision's reference loop, in one run: same model, data and settings.

    python benchmarks/training.py DATASET [--quick] [--json FILE]
    python benchmarks/training.py DATASET --beside [--json FILE]      two sessions at once, by how threads wait

The reference is the loop of torchvision's detection references written out: a Dataset that decodes image and masks
each time, a DataLoader with one worker, float32, the default memory layout, and SGD on what is to be trained. It gets
the session's weights, images, order, learning rate and clipping.

- Speed: each loop is a process, and they work in turns, some steps each, so that a busy machine slows both alike. The
  first pass over the images and the first two steps of a turn are not timed. Given is the median step, and the
  median over the pairs of turns of how many times as fast the session is. ``small`` is a CPU recipe's network from
  scratch, ``paper`` the paper's ResNet-101 on 1024x576 images. CPU seconds are those of a process and its worker on
  all cores; where others use the machine they say more than the clock. Memory is the peak after all turns, the worker's
  counted too.
- Beside: how many times as long two sessions take at once as one alone, where threads that wait sleep (as handforge
  has it) and where they spin (OMP_WAIT_POLICY=ACTIVE); and what sleeping costs a session alone. Eight minutes.
- Loss: both loops train a smaller network for 200 steps with three seeds; the loss is the mean of the last 50 steps.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import psutil
import torch

from handforge.dataset import Dataset
from trainer.config.recipe import ImageSettings, LayerWord, Network, Session
from trainer.data.images import ImagePool, target, tensor
from trainer.loop import session as sessions
from trainer.models import networks

WARM_STEPS = 2
LOSS_STEPS, LOSS_TAIL, LOSS_SEEDS = 200, 50, 3


@dataclass(frozen=True)
class Case:
    """What both loops train."""

    network: Network
    image_settings: ImageSettings
    session: Session
    images: int


CASES = {
    "small": Case(
        Network(backbone="resnet18", init="none"),
        ImageSettings(min_size=216, max_size=384),
        Session(batch=4, rois_per_image=64, lr=0.005, warmup_steps=10, steps=1000),
        16,
    ),
    "paper": Case(
        Network(backbone="resnet101", init="imagenet"),
        ImageSettings(min_size=800, max_size=1024),
        Session(batch=1, rois_per_image=200, lr=0.001, steps=1000),
        4,
    ),
    "loss": Case(
        Network(backbone="resnet18", init="none", channels=32, representation_size=128),
        ImageSettings(min_size=108, max_size=192),
        Session(batch=2, rois_per_image=16, lr=0.01, warmup_steps=20, steps=LOSS_STEPS),
        64,
    ),
}
CASES["quick"] = replace(CASES["loss"], images=4)


def start(case: Case, seed: int) -> torch.nn.Module:
    """The network. ImageNet's weights are not fetched; what that network normalises by them is scaled by hand."""
    torch.manual_seed(seed)
    model = networks.build(networks.architecture(case.network), case.image_settings)
    for name, scale in model.named_buffers():
        if name.endswith("bn3.weight"):  # else the activations of 33 blocks without statistics overflow
            scale.fill_(0.2)
    return model


def job(folder: str, case: Case, layers: LayerWord, seed: int) -> sessions.SessionContext:
    """The session that both loops train; it tells the reference which images a step has."""
    dataset = Dataset(folder)
    dataset.images = dataset.images[: case.images]
    device = torch.device("cpu")
    settings = replace(case.session, trainable_layers=layers)
    pool = np.arange(len(dataset))
    image_pool = ImagePool([dataset], case.image_settings)
    image_pool.decode(pool.tolist())
    return sessions.SessionContext(
        1, settings, image_pool, pool, seed, device, networks.best_precision(device), workers=1
    )


def ours(case: Case, work: sessions.SessionContext) -> Iterator[float]:
    """Losses of this package's session, step by step."""
    model = networks.for_training(start(case, work.seed), work.device)
    for row in sessions.run(model, work, sessions.begin(model, work.session)):
        yield row["loss"]


class Decoding(torch.utils.data.Dataset[tuple[torch.Tensor, dict[str, torch.Tensor]]]):
    """Images in the session's order, decoded when asked for."""

    def __init__(self, folder: str, work: sessions.SessionContext) -> None:
        self.dataset = Dataset(folder)
        self.order = [index for step in range(work.session.total_steps) for index in sessions.draw_batch(work, step)]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        image = self.dataset.images[self.order[place]]
        return tensor(self.dataset.read_image(image)), target(np.array(self.dataset.masks(image)))


def collate(batch: list[tuple[Any, ...]]) -> tuple[tuple[Any, ...], ...]:
    """Lists of images and targets, as torchvision's references do."""
    return tuple(zip(*batch, strict=True))


def reference(case: Case, work: sessions.SessionContext, folder: str) -> Iterator[float]:
    """Losses of torchvision's reference loop, step by step."""
    model = start(case, work.seed)
    optimizer = sessions.begin(model, work.session)
    model.train()
    loader = torch.utils.data.DataLoader(Decoding(folder, work), work.session.batch, num_workers=1, collate_fn=collate)
    for step, (images, targets) in enumerate(loader):
        for group in optimizer.param_groups:
            group["lr"] = sessions.learning_rate(work.session, step)
        loss = torch.stack(list(model(list(images), list(targets)).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), work.session.clip_norm)
        optimizer.step()
        yield float(loss.detach())


class Told(TypedDict):
    """How a loop's steps went; a value a step, but for the peak."""

    seconds: list[float]
    cpu: list[float]
    losses: list[float]
    peak_mib: float


def serve(folder: str, loop: str, name: str, layers: LayerWord, seed: int) -> None:
    """In a process of its own: for each number on standard input, do so many steps and tell how it went."""
    case = CASES[name]
    work = job(folder, case, layers, seed)
    losses = ours(case, work) if loop == "ours" else reference(case, work, folder)
    for line in sys.stdin:
        done, seconds, busy = [], [], []
        for _ in range(int(line)):
            begin, begin_busy = time.perf_counter(), cpu_seconds()
            done.append(next(losses))
            seconds.append(time.perf_counter() - begin)
            busy.append(cpu_seconds() - begin_busy)
        told: Told = {"seconds": seconds, "cpu": busy, "losses": done, "peak_mib": peak_mib()}
        print(json.dumps(told), flush=True)


def _processes() -> list[psutil.Process]:
    """A loop's process, which is this one, and the worker that it has."""
    loop = psutil.Process()
    return [loop, *loop.children()]


def cpu_seconds() -> float:
    """What this process and its worker have computed so far, on all cores."""
    return sum(process.cpu_times().user + process.cpu_times().system for process in _processes())


def peak_mib() -> float:
    """The most memory that this process and its worker had."""
    files = [Path(f"/proc/{process.pid}/status") for process in _processes()]
    return sum(int(file.read_text().split("VmHWM:")[1].split()[0]) for file in files) / 1024


class Loop:
    """A process that does steps when told to."""

    def __init__(self, *words: str, wait: str = "PASSIVE") -> None:
        command = [sys.executable, __file__, *words]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_WAIT_POLICY": wait},
        )

    def do(self, steps: int) -> Told:
        """Do so many steps."""
        self.begin(steps)
        return self.end()

    def begin(self, steps: int) -> None:
        """Have it do so many steps."""
        assert self._process.stdin
        print(steps, file=self._process.stdin, flush=True)

    def end(self) -> Told:
        """Wait until they are done."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a loop's process ended; its error is above")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def speed(folder: str, name: str, layers: str, pairs: int, steps: int) -> dict[str, float]:
    """Both loops in turns: the median step of each, how many times as fast, and the peaks."""
    loops = {loop: Loop(folder, "--serve", loop, name, layers, "0") for loop in ("reference", "ours")}
    timed: dict[str, list[float]] = {loop: [] for loop in loops}
    busy: dict[str, list[float]] = {loop: [] for loop in loops}
    peaks: dict[str, float] = {}
    for running in loops.values():  # once through the images, as a session's first steps do
        running.do(CASES[name].images // CASES[name].session.batch)
    for pair in range(pairs):
        for loop in sorted(loops, reverse=pair % 2 == 0):  # each is first in every other pair
            told = loops[loop].do(WARM_STEPS + steps)
            timed[loop].append(float(np.median(told["seconds"][WARM_STEPS:])))
            busy[loop] += told["cpu"][WARM_STEPS:]
            peaks[loop] = told["peak_mib"]
    for running in loops.values():
        running.close()
    ratios = np.divide(timed["reference"], timed["ours"])
    found = {
        **{f"{loop}_seconds": float(np.median(values)) for loop, values in timed.items()},
        **{f"{loop}_cpu_seconds": float(np.mean(values)) for loop, values in busy.items()},
        **{f"{loop}_peak_mib": value for loop, value in peaks.items()},
        "times_as_fast": float(np.median(ratios)),
        "least": float(ratios.min()),
        "most": float(ratios.max()),
    }
    for loop in loops:
        print(
            f"{name:6} {layers:6} {loop:10} {1 / found[f'{loop}_seconds']:6.3f} steps a second, "
            f"{found[f'{loop}_cpu_seconds']:6.2f} CPU seconds a step, {peaks[loop]:5.0f} MiB"
        )
    print(
        f"{name:6} {layers:6} {found['times_as_fast']:.2f} times as fast ({found['least']:.2f} to {found['most']:.2f} "
        f"over {pairs} pairs), {found['reference_cpu_seconds'] / found['ours_cpu_seconds']:.2f} times by CPU seconds",
        flush=True,
    )
    return found


def beside(folder: str, rounds: int = 3, steps: int = 4) -> dict[str, float]:
    """Seconds of a session's steps alone and of two sessions' at once, by how threads wait, in turns."""
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        for wait in ("PASSIVE", "ACTIVE"):
            # New processes each time, the second when it is needed: threads that spin do so between the turns, too.
            loops: list[Loop] = []
            for name in ("alone", "both"):
                loops.append(Loop(folder, "--serve", "ours", "small", "all", "0", wait=wait))
                loops[-1].do(WARM_STEPS)
                begin = time.perf_counter()
                for running in loops:
                    running.begin(steps)
                for running in loops:
                    running.end()
                seconds.setdefault(f"{wait.lower()}_{name}", []).append(time.perf_counter() - begin)
            for running in loops:
                running.close()
    found = {name: float(np.median(values)) for name, values in seconds.items()}
    for wait in ("passive", "active"):
        found[f"{wait}_ratio"] = float(np.median(np.divide(seconds[f"{wait}_both"], seconds[f"{wait}_alone"])))
        print(
            f"{wait:7} alone {found[f'{wait}_alone']:6.1f} s for {steps} steps, two at once "
            f"{found[f'{wait}_both']:6.1f} s: {found[f'{wait}_ratio']:.2f} times as long",
            flush=True,
        )
    found["cost_alone"] = float(np.median(np.divide(seconds["passive_alone"], seconds["active_alone"])))
    print(f"sleeping takes {found['cost_alone']:.2f} times as long as spinning where a session is alone")
    return found


def loss(folder: str) -> dict[str, Any]:
    """The loss both loops reach, with each seed, and whether they differ by less than the seeds do."""
    reached: dict[str, list[float]] = {"reference": [], "ours": []}
    for seed in range(LOSS_SEEDS):
        for loop, values in reached.items():
            running = Loop(folder, "--serve", loop, "loss", "all", str(seed))
            values.append(float(np.mean(running.do(LOSS_STEPS)["losses"][-LOSS_TAIL:])))
            running.close()
    spread = float(np.std(reached["reference"], ddof=1))
    difference = float(np.mean(reached["ours"]) - np.mean(reached["reference"]))
    words = {loop: ", ".join(f"{value:.3f}" for value in values) for loop, values in reached.items()}
    print(
        f"loss after {LOSS_STEPS} steps, {LOSS_SEEDS} seeds: reference {words['reference']}; session {words['ours']}; "
        f"mean difference {difference:+.3f}, the reference's spread over seeds {spread:.3f}"
    )
    return {**reached, "difference": difference, "spread": spread, "within_spread": abs(difference) <= spread}


def main() -> None:
    """Measure, print, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--quick", action="store_true", help="one short pair of turns of a very small network")
    parser.add_argument("--beside", action="store_true", help="two sessions at once instead")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        loop, name, layers, seed = options.serve
        serve(options.dataset, loop, name, layers, int(seed))
        return
    found: dict[str, Any] = {}
    if options.beside:
        found = beside(options.dataset)
        if options.json:
            options.json.write_text(json.dumps(found, indent=1))
        return
    turns = {"quick": (1, 3)} if options.quick else {"small": (4, 4), "paper": (2, 3)}
    for name, (pairs, steps) in turns.items():
        for layers in ("all", "heads"):
            found[f"{name} {layers}"] = speed(options.dataset, name, layers, pairs, steps)
    if not options.quick:
        found["loss"] = loss(options.dataset)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
