"""Recipes: what is shipped parses, and what is wrong is named, all of it at once."""

import dataclasses
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from trainer_samples import TINY, write_recipe

from trainer.cli import main
from trainer.config import recipe, recipe_file
from trainer.config.old_names import OldNameWarning
from trainer.config.recipe import Recipe, Session
from trainer.errors import RecipeError


@pytest.mark.parametrize("name", recipe_file.shipped())
def test_every_shipped_recipe_is_valid(name):
    loaded = recipe_file.load(name)
    assert loaded.name == name
    assert loaded.description


def test_shipped_recipes_are_read_without_torch():
    """The names of their backbones are known without timm, which takes seconds to import, as torch does."""
    code = "import sys; from trainer.config.recipe_file import load, shipped; [load(name) for name in shipped()]; "
    code += "assert not {'torch', 'timm'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_command_lists_them_all():
    done = CliRunner().invoke(main, ["recipes"])
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == recipe_file.shipped()


def test_a_list_of_layers_stands_for_as_many_sessions(tmp_path):
    loaded = recipe_file.load(str(write_recipe(tmp_path / "tiny.toml")))
    assert [s.trainable_layers for s in loaded.sessions] == ["all", "3+"]
    assert {s.steps for s in loaded.sessions} == {4}


def test_all_problems_are_named_at_once(tmp_path):
    text = (
        TINY.replace("rois_per_image = 8", "rois_per_image = 0\nlrr = 1")
        .replace('"3+"', '"2+"')
        .replace("min_size = 64", "min_size = 9")
    )
    text = text.replace("representation_size = 16", "representation_size = 16\ncanonical_scale = 0").replace(
        '"studio"', '"decoy"'
    )
    path = write_recipe(tmp_path / "bad.toml", text)
    with pytest.raises(RecipeError) as caught:
        recipe_file.load(str(path))
    message = str(caught.value)
    for part in (
        "sessions 1: lrr is not known; did you mean lr?",
        "sessions 1: rois_per_image is a whole number from 1 to 10,000,000, not 0",
        "sessions 2: trainable_layers is all or 3+ or 4+ or 5+ or heads or auto, not '2+'",
        "images: min_size is a whole number from 64 to 16,384, not 9",
        "network: canonical_scale is a whole number from 1 to 16,384, not 0",
        "images: augmentation is none or studio or photo or decoys, not 'decoy'",
    ):
        assert part in message
    assert message.count(";") == 6  # each once, and nothing of what only follows from them
    assert "\n" not in message


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("subsets = 2", "subsets = 2\nlr = 0.1", "lr is a key of the table sessions, not of this one"),
        (
            "[images]",
            "[images]\nbackbone = 'resnet18'",
            "images: backbone is a key of the table network, not of this one",
        ),
        ("subsets = 2", "subset = 2", "subset is a key of the table sessions, not of this one; did you mean subsets?"),
        ("subsets = 2", "min_size = 64", "min_size is a key of the table sessions and of images, not of this one"),
    ],
)
def test_a_key_of_another_table_is_named_with_that(tmp_path, old, new, said):
    assert old in TINY
    path = write_recipe(tmp_path / "bad.toml", TINY.replace(old, new))
    with pytest.raises(RecipeError, match=f"{re.escape(said)}$"):
        recipe_file.load(str(path))


def test_a_session_has_no_larger_images_than_the_recipe(tmp_path):
    """Decoded images are kept in the recipe's size."""
    path = write_recipe(tmp_path / "large.toml", TINY.replace("steps = 4", "steps = 4\nmax_size = 128"))
    with pytest.raises(
        RecipeError, match=r"sessions 1: min_size 64 and max_size 128 .* neither above the recipe's 64 and 96"
    ):
        recipe_file.load(str(path))


def test_an_unknown_optimizer_names_those_there_are(tmp_path):
    path = write_recipe(tmp_path / "r.toml", '[session]\noptimizer = "adam"\n')
    with pytest.raises(RecipeError, match="sessions 1: optimizer is sgd or adamw, not 'adam'"):
        recipe_file.load(str(path))


def test_channels_that_cannot_be_grouped_are_refused(tmp_path):
    path = write_recipe(tmp_path / "wide.toml", TINY.replace("channels = 16", "channels = 272"))
    with pytest.raises(
        RecipeError, match="network: channels is a multiple of 16, above 256 of 32, up to 2,048, not 272"
    ):
        recipe_file.load(str(path))


def test_auto_needs_validation(tmp_path):
    path = write_recipe(tmp_path / "auto.toml", TINY.replace('["all", "3+"]', '"auto"'))
    with pytest.raises(RecipeError, match="trainable_layers auto needs validation images"):
        recipe_file.load(str(path))


def test_unknown_name_lists_the_shipped_ones():
    with pytest.raises(RecipeError, match=r"no recipe is called 'nonesuch'; there are .*demo"):
        recipe_file.load("nonesuch")


@pytest.mark.parametrize(
    "value, message",
    [
        ('"ten"', "sessions 1: steps is a whole number from 1 to 10,000,000, not 'ten'"),
        ("true", "steps is .*, not True"),
        ("-1", "steps is .*, not -1"),
        ("2.5", "steps is .*, not 2.5"),
        ("1_000_000_000", "steps is .* to 10,000,000, not 1000000000"),
    ],
)
def test_wrong_types_and_ranges(tmp_path, value, message):
    path = write_recipe(tmp_path / "bad.toml", TINY.replace("steps = 4", f"steps = {value}"))
    with pytest.raises(RecipeError, match=message):
        recipe_file.load(str(path))


def test_a_wrong_type_leads_to_no_other_problem(tmp_path):
    path = write_recipe(tmp_path / "bad.toml", TINY.replace("min_size = 64", 'min_size = "64"').replace("= 16", "= 17"))
    with pytest.raises(RecipeError) as found:
        recipe_file.load(str(path))
    assert str(found.value) == (
        "recipe bad: network: channels is a multiple of 16, above 256 of 32, up to 2,048, not 17; "
        "images: min_size is a whole number from 64 to 16,384, not '64'"
    )


def test_subsets_follow_each_other_unless_said_otherwise():
    words = ["next", "next", "same", "next", "next", 2, "next"]
    sessions = tuple(Session(subset=word) for word in words)
    assert recipe.subset_numbers(Recipe("r", sessions, subsets=3)) == [1, 2, 2, 3, 1, 2, 3]


def test_the_chain_of_cases_is_the_papers():
    after = {
        name: recipe_file.load(name).init_from
        for name in recipe_file.shipped()
        if name.startswith("c") and name[1:].isdigit()
    }
    assert after == {
        **{"c1": "", "c2": "", "c3": "c1", "c4": "c1", "c5": "", "c6": "c5", "c7": "c5"},
        **{"c8": "c7", "c9": "c8", "c10": "c9", "c11": "c9"},
    }
    eight, nine = recipe_file.load("c8"), recipe_file.load("c9")
    assert recipe.subset_numbers(eight) == recipe.subset_numbers(nine) == [2]
    assert eight.sessions[0].trainable_layers != nine.sessions[0].trainable_layers


def test_the_cases_have_the_papers_figures():
    one = recipe_file.load("c1").sessions
    assert [(s.trainable_layers, s.epochs, s.steps, s.rois_per_image, s.lr, s.momentum) for s in one] == [
        ("4+", 5, 1000, 300, 0.001, 0.9)
    ]
    two = recipe_file.load("c2")
    assert [s.trainable_layers for s in two.sessions] == [
        "all",
        "all",
        "3+",
        "3+",
        "4+",
        "4+",
        "5+",
        "5+",
        "heads",
        "heads",
    ]
    assert two.subsets == 10 and {s.epochs for s in two.sessions} == {5}
    five, six = recipe_file.load("c5"), recipe_file.load("c6")
    assert (five.subsets, len(five.sessions), five.real_repeat_factor) == (10, 10, 5)
    assert {(s.epochs, s.steps, s.rois_per_image) for s in five.sessions} == {(4, 150, 150)}
    assert (six.subsets, six.real_repeat_factor, six.sessions[0].steps, six.sessions[0].rois_per_image) == (
        4,
        10,
        500,
        300,
    )
    study = recipe_file.load("fig2-repetitive")
    assert [s.trainable_layers for s in study.sessions] == [
        "all",
        "all",
        "all",
        "3+",
        "3+",
        "all",
        "all",
        "4+",
        "5+",
        "all",
    ]
    assert (
        sum(s.total_steps for s in study.sessions)
        == recipe_file.load("fig2-conventional").sessions[0].total_steps
        == 1000
    )
    assert {n.network.backbone for n in (two, five, study)} == {"resnet101"}
    for name in ("fig2-conventional", "fig2-repetitive"):  # 15,000 images at step 300
        many, few = recipe_file.load(f"{name}-45"), recipe_file.load(name)
        assert {s.batch * s.gradient_accumulation_steps for s in many.sessions} == {45}
        assert [(s.total_steps, s.trainable_layers) for s in many.sessions] == [
            (s.total_steps, s.trainable_layers) for s in few.sessions
        ]
    assert (two.images.min_size, two.images.max_size) == (800, 1024)


def test_the_comparisons_differ_from_c1_in_their_network_only():
    one, deep, small = (recipe_file.load(name) for name in ("c1", "c1-deeplabv3", "c1-resnet50"))
    assert deep.network == dataclasses.replace(one.network, task="semantic")
    assert small.network == dataclasses.replace(one.network, backbone="resnet50")
    assert small.sessions == one.sessions and small.images == deep.images == one.images
    assert [dataclasses.replace(s, rois_per_image=300) for s in deep.sessions] == list(one.sessions)  # it has no ROIs


def test_the_ablations_differ_in_what_they_say():
    two, small, varying = (recipe_file.load(name) for name in ("c2", "c2-resnet50", "c2-varying"))
    assert small.network == dataclasses.replace(two.network, backbone="resnet50") and small.sessions == two.sessions
    assert [dataclasses.replace(s, saturation_patience=0) for s in varying.sessions] == list(two.sessions)
    assert {s.saturation_patience for s in varying.sessions} == {varying.sessions[0].steps}  # one epoch
    one, vgg = recipe_file.load("c1"), recipe_file.load("c1-vgg16")
    assert vgg.network == dataclasses.replace(one.network, backbone="vgg16_bn") and vgg.sessions == one.sessions
    once, chain = recipe_file.load("ablation-conventional"), recipe_file.load("ablation-repetitive")
    assert once.sessions == tuple(dataclasses.replace(s, subset=1) for s in recipe_file.load("c6").sessions)
    cases = [recipe_file.load(name) for name in ("c7", "c8", "c9")]
    assert [s.trainable_layers for s in chain.sessions] == [c.sessions[0].trainable_layers for c in cases]
    assert recipe.subset_numbers(chain) == [recipe.subset_numbers(c)[0] for c in cases]
    assert {(r.init_from, r.subsets, r.real_repeat_factor) for r in (once, chain, *cases)} == {
        ("c5", 4, 10),
        ("c7", 4, 10),
        ("c8", 4, 10),
    }


def test_a_recipe_names_categories_and_how_real_sets_are_taken(tmp_path):
    path = write_recipe(tmp_path / "r.toml", 'categories = ["cup", "plate"]\nreal_sets = "in-turn"\n' + TINY)
    assert (
        recipe_file.load(str(path)).categories == ("cup", "plate")
        and recipe_file.load(str(path)).real_sets == "in-turn"
    )
    for wrong, message in (
        ('categories = ["cup", "cup"]', r"categories is a list of names, each once, not \['cup', 'cup'\]"),
        ("categories = [{}, 3]", "categories 1 is text, not {}; categories 2 is text, not 3"),
        ('categories = "cup"', "categories is a list of names, each once, not 'cup'"),
        ('real_sets = "mixed"', "real_sets is together or in-turn, not 'mixed'"),
    ):
        with pytest.raises(RecipeError, match=message):
            recipe_file.load(str(write_recipe(tmp_path / "r.toml", f"{wrong}\n{TINY}")))


def test_conventional_has_the_same_number_of_steps():
    loaded = recipe_file.load("demo")
    one = loaded.conventional()
    assert len(one.sessions) == 1 and one.subsets == 1
    assert one.sessions[0].total_steps == sum(s.total_steps for s in loaded.sessions)
    assert dataclasses.replace(one.sessions[0], steps=loaded.sessions[0].steps) == loaded.sessions[0]


def test_layers_of_the_command_take_the_place_of_the_recipes():
    demo = recipe_file.load("demo")
    assert [s.trainable_layers for s in demo.with_layers("heads").sessions] == ["heads"] * 3
    assert [s.trainable_layers for s in demo.with_layers("all, 3+,heads").sessions] == ["all", "3+", "heads"]
    assert demo.with_layers("heads").validation == 0 and demo.with_layers("auto").validation == 0.1
    with pytest.raises(RecipeError, match="demo has 3 sessions, the layers 'all,heads' are for 2"):
        demo.with_layers("all,heads")
    with pytest.raises(RecipeError, match=r"sessions 1: trainable_layers is all or .*, not 'head'$"):
        demo.with_layers("head")


def test_old_names_are_read_and_named(tmp_path):
    old = TINY
    for new, before in (
        ("min_size", "short_px"),
        ("max_size", "long_px"),
        ("rois_per_image", "rois"),
        ("representation_size", "box_units"),
        ("trainable_layers", "layers"),
        ("[images]", "[pictures]"),
    ):
        assert new in old
        old = old.replace(new, before)
    path = write_recipe(tmp_path / "tiny.toml", 'about = "x"\nreplicate = 2\n' + old)
    with pytest.warns(OldNameWarning, match="recipe tiny: about is now description, replicate is now real_repeat"):
        read = recipe_file.load(str(path))
    new = recipe_file.load(str(write_recipe(tmp_path / "new" / "tiny.toml")))
    assert read == dataclasses.replace(new, description="x", real_repeat_factor=2)
