"""What the tests of rendering runs share: a small run, and how to start and watch one."""

import json
import sys
from itertools import islice

import numpy as np

from generator.pipeline.records import read_records
from generator.pipeline.workers import BATCH, FRAMES_A_WORKER, Renderer
from handforge.dataset import Instance, Sample, encode_sample

FRAMES = 2 * FRAMES_A_WORKER
"""As many as two workers share; fewer would be one's."""


class InProcess:
    """Renders as :class:`generator.pipeline.workers.Workers` does, in this process, where no process is the point."""

    def __init__(self, count, frames):
        self._renderer = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._renderer and self._renderer._records:
            self._renderer._records.close()

    def start(self, settings):
        self._renderer = Renderer(settings)
        return self._renderer.settings, self._renderer.blender

    def render(self, out, items):
        items, done = iter(items), 0
        while batch := list(islice(items, BATCH)):
            done += self._renderer.render(out, batch)
            yield done


def frame(number):
    """Record and files of a small frame that no Blender has rendered."""
    mask = np.zeros((64, 64), bool)
    mask[10:30, 10 : 30 + number] = True
    return encode_sample(Sample(f"{number:06d}", np.full((64, 64, 3), 200, np.uint8), (Instance(mask),)))


def ignore(done, total):
    pass


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def write_settings(path, settings):
    values = {key: value for key, value in settings.to_json().items() if value is not None}
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
    return path


def command(settings_file, out, workers=2):
    return [
        *(sys.executable, "-m", "generator", "render", "--settings", str(settings_file)),
        *("--out", str(out), "--workers", str(workers)),
    ]


def records(out):
    return len(read_records(out)) if out.exists() else 0
