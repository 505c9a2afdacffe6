"""Test-time augmentation: several views of an image, merged into one set of detections."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from trainer_samples import invoke, write_blobs

from trainer.inference import tta
from trainer.models import networks


def test_boxes_of_several_views_become_one():
    """Of four views: three see one hand, one of them twice; one sees another; the last sees nothing."""
    boxes = [[[0, 0, 10, 10], [0, 0, 10, 9]], [[2, 0, 12, 10]], [[0, 0, 10, 10], [50, 50, 56, 56]], []]
    scores = [[0.9, 0.6], [0.3], [0.6, 0.8], []]
    boxes = [torch.tensor(part, dtype=torch.float32).reshape(-1, 4) for part in boxes]
    scores = [torch.tensor(part) for part in scores]
    anything = torch.full((4,), torch.inf)
    fused, means = tta.fuse(boxes, scores, anything)
    torch.testing.assert_close(means, torch.tensor([(0.9 + 0.3 + 0.6) / 4, 0.8 / 4]))
    weights = np.array([0.9, 0.6, 0.3, 0.6])
    right = np.average([10, 10, 12, 10], weights=weights)
    bottom = np.average([10, 9, 10, 10], weights=weights)
    expected = torch.tensor([[right - 10, 0, right, bottom], [50, 50, 56, 56]], dtype=torch.float32)
    torch.testing.assert_close(fused, expected)
    _, means = tta.fuse(boxes, scores, torch.tensor([torch.inf, torch.inf, torch.inf, 9.9]))  # too long for the last
    torch.testing.assert_close(means, torch.tensor([(0.9 + 0.3 + 0.6) / 3, 0.8 / 4]))
    beside = [torch.tensor([[0.0, 0, 10, 10]]), torch.tensor([[5.0, 0, 15, 10]])]  # a third of both together is shared
    assert tta.fuse(beside, [torch.tensor([0.9])] * 2, anything[:2])[0].tolist() == [
        part[0].tolist() for part in beside
    ]
    nothing = tta.fuse([torch.zeros(0, 4)] * 2, [torch.zeros(0)] * 2, anything[:2])
    assert [tuple(part.shape) for part in nothing] == [(0, 4), (0,)]


def test_masks_are_the_mean_of_what_torchvision_cuts_in_each_view(weights, monkeypatch):
    """The truth is torchvision's network on each view by itself, told to find the same boxes there."""
    network, description = networks.load(weights)
    min_size, max_size = (description["images"][side] for side in ("min_size", "max_size"))
    image = torch.rand(3, 90, 130, generator=torch.Generator().manual_seed(0))
    boxes, scores = torch.tensor([[10.0, 5, 50, 45], [40, 30, 128, 88]]), torch.tensor([0.8, 0.7])
    assert 40 <= tta.SMALL * 90 < 88, "the second is too long for larger views"
    monkeypatch.setattr(tta, "fuse", lambda *found: (boxes, scores))
    # As cut, before torchvision pastes them at whole pixels, which are others in the mirror image.
    monkeypatch.setattr(tta, "paste_masks_in_image", lambda masks, *where: masks)
    monkeypatch.setattr(network.transform, "postprocess", lambda found, *sizes: found)
    with torch.inference_mode():
        looked = tta.run_views(network, image)
        truth = []
        for scale in tta.SCALES:
            networks.set_size(network, round(scale * min_size), round(scale * max_size))
            for rotated in (False, True):
                side = image.flip(-1) if rotated else image
                height, width = network.transform([side])[0].image_sizes[0]
                told = boxes.clone()
                if rotated:
                    told[:, [0, 2]] = 130 - boxes[:, [2, 0]]
                found = (told * torch.tensor([width / 130, height / 90] * 2), scores, torch.ones(2, dtype=torch.int64))
                monkeypatch.setattr(
                    network.roi_heads, "postprocess_detections", lambda *given, f=found: tuple([part] for part in f)
                )
                masks = network([side])[0]["masks"]
                truth.append(masks.flip(-1) if rotated else masks)
    own = 2 * tta.SCALES.index(1.0)
    mean = torch.stack([torch.stack([one[0] for one in truth]).mean(0), (truth[own][1] + truth[own + 1][1]) / 2])
    assert not torch.equal(truth[0], truth[1]) and not torch.equal(truth[0], truth[2])
    torch.testing.assert_close(looked["masks"], mean)


def test_a_view_finds_what_the_network_finds_and_a_larger_one_what_of_it_is_small(weights, monkeypatch):
    network, _ = networks.load(weights)
    image = torch.rand(3, 90, 130, generator=torch.Generator().manual_seed(0))
    size = network.transform.min_size, network.transform.max_size
    with torch.inference_mode():
        (alone,) = network([image])
        view = tta._View.of(network, image, False)
        sides = (view.boxes[:, 2:] - view.boxes[:, :2]).amax(1)
        limit = float(sides.min() + sides.max()) / 2
        monkeypatch.setattr(tta, "SMALL", limit / 90)
        larger = tta._View.of(network, image, False, scale=1.33)
        rotated = tta._View.of(network, image.flip(-1), True)
        (mirrored,) = network([image.flip(-1)])
        tta.run_views(network, image)
    torch.testing.assert_close(view.boxes, alone["boxes"])
    torch.testing.assert_close(view.scores, alone["scores"])
    small = sides <= limit
    assert small.any() and not small.all()
    torch.testing.assert_close(larger.boxes, view.boxes[small])
    torch.testing.assert_close(larger.scores, view.scores[small])
    torch.testing.assert_close(130 - rotated.boxes[:, [2, 0]], mirrored["boxes"][:, [0, 2]])
    assert (network.transform.min_size, network.transform.max_size) == size


def test_threads_do_not_change_each_others_views(weights):
    """A second thread begins while the first is at a larger view, and ends before it goes on."""
    network, _ = networks.load(weights)
    image = torch.rand(3, 90, 130, generator=torch.Generator().manual_seed(0))

    def run():
        with torch.inference_mode():
            return tta.run_views(network, image)

    alone, seen, beside = run(), [], []

    def start_another(*_):
        seen.append(1)
        if len(seen) == 3:
            beside.append(pool.submit(run).result())

    with ThreadPoolExecutor(1) as pool, network.backbone.register_forward_hook(start_another):
        first = run()
    for name, values in alone.items():
        torch.testing.assert_close(first[name], values)
        torch.testing.assert_close(beside[0][name], values)


def test_tta_is_said_and_finds_nothing_above_every_score(weights, tmp_path):
    data = write_blobs(tmp_path / "data", count=2)
    for name, options in (("once", []), ("often", ["--tta"]), ("none", ["--tta", "--score", 1])):
        done = invoke("predict", "--weights", weights, data, "--out", tmp_path / name, "--score", 0, *options)
        assert done.exit_code == 0, done.output
    once, often, none = (json.loads((tmp_path / n / "results.json").read_text()) for n in ("once", "often", "none"))
    assert often and none == [] and often != once
    told = {n: json.loads((tmp_path / n / "predict.json").read_text())["settings"] for n in ("once", "often")}
    assert [(told[n]["tta"], told[n]["zoom"]) for n in told] == [(False, True), (True, False)]


def test_a_score_leaves_out_what_ends_below_it(weights, tmp_path):
    """Also with several views, whose mean may be above what one view gives."""
    data = write_blobs(tmp_path / "data", count=2)

    def found_from(score, out):
        words = ("predict", "--weights", weights, data, "--out", out, "--tta", "--score", score)
        assert invoke(*words).exit_code == 0
        return json.loads((out / "results.json").read_text())

    every = found_from(0, tmp_path / "every")
    center = float(np.median([r["score"] for r in every]))
    expected = [r for r in every if r["score"] > center]
    assert 0 < len(expected) < len(every)
    assert [r for r in found_from(center, tmp_path / "some") if r["score"] > center] == expected
