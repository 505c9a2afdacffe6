"""Recipes: what is shipped parses, and what is wrong is named, all of it at once."""

import dataclasses

import pytest
from trainer_samples import TINY, write_recipe

from trainer import recipe
from trainer.errors import RecipeError
from trainer.recipe import Recipe, Session


@pytest.mark.parametrize("name", recipe.shipped())
def test_every_shipped_recipe_is_valid(name):
    loaded = recipe.load(name)
    assert loaded.name == name
    assert loaded.about


def test_a_list_of_layers_stands_for_as_many_sessions(tmp_path):
    loaded = recipe.load(str(write_recipe(tmp_path / "tiny.toml")))
    assert [s.layers for s in loaded.sessions] == ["all", "3+"]
    assert {s.steps for s in loaded.sessions} == {4}


def test_all_problems_are_named_at_once(tmp_path):
    text = (
        TINY.replace("rois = 8", "rois = 0\nlrr = 1").replace('"3+"', '"2+"').replace("short_px = 64", "short_px = 9")
    )
    path = write_recipe(tmp_path / "bad.toml", text)
    with pytest.raises(RecipeError) as caught:
        recipe.load(str(path))
    message = str(caught.value)
    for part in ("lrr is not known", "rois is 0", "layers '2+' is not known", "all, 3+, 4+, 5+, heads", "short_px"):
        assert part in message
    assert "\n" not in message


def test_unknown_name_lists_the_shipped_ones():
    with pytest.raises(RecipeError, match=r"no recipe is called 'nonesuch'; there are .*demo"):
        recipe.load("nonesuch")


@pytest.mark.parametrize(
    "value, message",
    [('"ten"', "steps is 'ten', it must be int"), ("true", "steps is True"), ("-1", "steps is -1"), ("2.5", "is 2.5")],
)
def test_wrong_types_and_ranges(tmp_path, value, message):
    path = write_recipe(tmp_path / "bad.toml", TINY.replace("steps = 4", f"steps = {value}"))
    with pytest.raises(RecipeError, match=message):
        recipe.load(str(path))


def test_subsets_follow_each_other_unless_said_otherwise():
    words = ["next", "next", "same", "next", "next", 2, "next"]
    sessions = tuple(Session(subset=word) for word in words)
    assert recipe.subset_numbers(Recipe("r", sessions, subsets=3)) == [1, 2, 2, 3, 1, 2, 3]


def test_conventional_has_the_same_number_of_steps():
    loaded = recipe.load("demo")
    one = loaded.conventional()
    assert len(one.sessions) == 1 and one.subsets == 1
    assert one.sessions[0].total_steps == sum(s.total_steps for s in loaded.sessions)
    assert dataclasses.replace(one.sessions[0], steps=300) == loaded.sessions[0]
