"""Study files: what is shipped can be made, and what is wrong is named, all of it at once."""

import pytest

from trainer.config import recipe_file as recipes
from trainer.config import study
from trainer.config.recipe import subset_numbers
from trainer.errors import RecipeError, StudyError

SMALL = """
question = "Which?"
data = "data"
seeds = [0]
claim = { arm = "a", against = "b" }
[[primary]]
measure = "validation_loss"
[[arms]]
name = "a"
[[arms]]
name = "b"
"""


def load(tmp_path, text=SMALL):
    (tmp_path / "study.toml").write_text(text)
    return study.load(str(tmp_path / "study.toml"))


@pytest.mark.parametrize("name", study.shipped())
def test_every_shipped_study_is_valid(name):
    made, of_arms = study.load(name)
    assert set(of_arms) == {arm.name for arm in made.arms}


def test_the_arms_of_the_claim_have_the_papers_budget():
    made, of_arms = study.load("claim")
    assert len(made.seeds) >= 5
    for recipe in of_arms.values():
        assert sum(s.total_steps for s in recipe.sessions) == 1000
        assert {(s.optimizer, s.momentum) for s in recipe.sessions} == {("sgd", 0.9)}
    images = {name: sum(s.batches * s.batch for s in recipe.sessions) for name, recipe in of_arms.items()}
    assert all(images[arm.name] == images[made.against(arm)] for arm in made.arms)
    assert images["1 x 1000 of 45 images"] == 45_000
    fig2 = of_arms["10 x 100 fig2 layers"]
    assert [s.trainable_layers for s in fig2.sessions] == [
        s.trainable_layers for s in recipes.load("fig2-repetitive").sessions
    ]
    assert [s.trainable_layers for s in of_arms["10 x 100 c2 layers"].sessions] == [
        s.trainable_layers for s in recipes.load("c2").sessions
    ]
    assert subset_numbers(of_arms["10 x 100 same subset"]) == [1] * 10


def test_an_init_is_a_path_from_the_files_folder_or_one_of_the_known_starts(tmp_path):
    for word in ("none", "shipped"):
        _, of_arms = load(tmp_path, f'init = "{word}"\n{SMALL}')
        assert {recipe.network.init for recipe in of_arms.values()} == {word}
    _, of_arms = load(tmp_path, f'init = "run"\n{SMALL}')
    assert of_arms["a"].network.init == str(tmp_path / "run")


def test_arms_change_keys_of_the_shared_recipe(tmp_path):
    text = SMALL.replace('name = "b"', 'name = "b"\nsubsets = 4\nsessions = 8\nsession.steps = 5')
    _, of_arms = load(tmp_path, text)
    shared = recipes.load("cpu-study")
    assert of_arms["a"].sessions == shared.sessions and of_arms["a"].name == "a"
    assert (of_arms["b"].subsets, len(of_arms["b"].sessions)) == (4, 8)
    assert {(s.steps, s.lr) for s in of_arms["b"].sessions} == {(5, shared.sessions[0].lr)}


def test_folders_are_relative_to_the_file_and_given_ones_are_not(tmp_path):
    made, _ = load(tmp_path)
    assert made.data == str(tmp_path / "data")
    made, of_arms = study.load(str(tmp_path / "study.toml"), data="mine", init="none", seeds=[3, 4], recipe=None)
    assert made.data == "mine" and made.seeds == [3, 4] and of_arms["a"].network.init == "none"


def test_a_recipe_without_sessions_is_no_session(tmp_path):
    with pytest.raises(StudyError, match="arm 'b' starts from the network of c9; give its run as init"):
        load(tmp_path, SMALL.replace('name = "b"', 'name = "b"\nrecipe = "c10"\none_session = true'))


def test_a_tests_masks_are_of_a_category_of_any_name(tmp_path):
    made, _ = load(tmp_path, SMALL + '[tests.held-out]\ndata = "t"\nmasks = "手 (gauche)"\n')
    assert made.tests["held-out"].masks == "手 (gauche)"


def test_all_problems_are_named_at_once(tmp_path):
    text = SMALL.replace('against = "b"', 'against = "c"').replace("seeds = [0]", "seeds = [0, 0]")
    text = text.replace('name = "b"', 'name = "b"\nagainst = "aa"\nsession.lrr = 1').replace(
        'measure = "validation_loss"', 'measure = "f1"\ntest = "held"'
    )
    with pytest.raises(StudyError) as found:
        load(tmp_path, text + '[tests.held-out]\ndata = "t"\nmasks = "hand+forearm"\n')
    for part in (
        "arm 'b': recipe b: sessions 1: lrr is not known; did you mean lr?",
        "a seed is given twice",
        "claim against: there is no 'c'; there are ['a', 'b']",
        "arm 'b' against: there is no 'aa'; did you mean 'a'?",
        "primary 1 test: there is no 'held'; did you mean 'held-out'?",
        "test 'held-out' has masks of hand+forearm, arm 'a' learns hand",
    ):
        assert part in str(found.value)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("seeds = [0]", "seeds = []", "seeds is a list of one number at least, not []"),
        ("seeds = [0]", "seed = [0]", "seed is not known; did you mean seeds?"),
        (
            "seeds = [0]",
            'seeds = ["0"]',
            "seeds 1 is a whole number from 0 to below 9,223,372,036,854,775,808, not '0'",
        ),
        (
            'name = "a"',
            'name = "../a"',
            "arms 1: name is up to 60 letters, digits, spaces and . + _ -, the first a letter or digit, not '../a'",
        ),
        (
            'measure = "validation_loss"',
            'measure = "loss"',
            "primary 1: measure is f1 or mean_iou or acc or ap or ap50 or top1 or validation_loss or average_loss, "
            "not 'loss'",
        ),
        ('measure = "validation_loss"', 'measure = "f1"', "primary 1: f1 needs a test"),
        ('name = "b"', 'name = "A"', "two arms are called 'a'"),
        ('name = "b"', 'name = "b"\npatience = 1', "arm 'b' may end early"),
        ('name = "b"', 'name = "b"\nvalidation = 0.0', "arm 'b' holds no images out"),
        ('question = "Which?"', "", "question is missing"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, old, new, message):
    with pytest.raises(StudyError) as found:
        load(tmp_path, SMALL.replace(old, new, 1))
    assert message in str(found.value)


CLASSES = 'network.task = "classification"'
TESTED = '\n[tests.held-out]\ndata = "t"\n'


@pytest.mark.parametrize(
    "measure, of_a, message",
    [
        ("f1", CLASSES, "arm 'a' has the task classification, whose tests have no f1"),
        ("top1", "", "arm 'a' has the task segmentation, whose tests have no top1"),
        ("top1", CLASSES, "some arms classify images and some do not; no test compares them"),
        ("f1", 'network.task = "detection"', "arm 'a' has the task detection, which has no masks to test"),
    ],
)
def test_a_test_measures_what_the_arms_learn(tmp_path, measure, of_a, message):
    text = SMALL.replace('name = "a"', f'name = "a"\n{of_a}') + TESTED
    with pytest.raises(StudyError) as found:
        load(tmp_path, text.replace('measure = "validation_loss"', f'measure = "{measure}"\ntest = "held-out"'))
    assert message in str(found.value)


def test_classifying_arms_may_have_tests(tmp_path):
    text = SMALL.replace('name = "a"', f'name = "a"\n{CLASSES}').replace('name = "b"', f'name = "b"\n{CLASSES}')
    made, _ = load(
        tmp_path, text.replace('measure = "validation_loss"', 'measure = "top1"\ntest = "held-out"') + TESTED
    )
    assert made.primary[0].measure == "top1"


def test_an_unknown_study_names_those_there_are():
    with pytest.raises(StudyError, match=r"no study is called 'clam'; did you mean claim\? There are claim,"):
        study.load("clam")
    with pytest.raises(StudyError, match=r"^mine/ten.toml is missing$"):
        study.load("mine/ten.toml")


def test_sessions_may_be_a_number():
    made = recipes.from_table("r", {"subsets": 3, "sessions": 5, "session": {"steps": 7}})
    assert [s.steps for s in made.sessions] == [7] * 5
    with pytest.raises(RecipeError, match="a list of tables or a number from 1 to 1000"):
        recipes.from_table("r", {"sessions": 0, "session": {}})
