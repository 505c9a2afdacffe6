"""A study's statistics against scipy, its conclusion on constructed outcomes, and its page."""

import json
from dataclasses import replace

import numpy as np
import pytest
from evaluation_scenes import four_images, write_results, write_run
from scipy import stats

from evaluation.records import ResultsError
from evaluation.study.conclusion import (
    Comparison,
    compare,
    conclusion,
    headline,
    judged,
    number,
    papers_figure,
    sentence,
)
from evaluation.study.page import write_page
from evaluation.study.results import Measure, RunResult, StudyResults, read_study
from evaluation.study.selection import choices
from evaluation.study.statistics import Interval, mean_interval, paired, simultaneous, spread
from evaluation.study.tables import differences_table

F1 = Measure("f1", "held-out")


def test_the_interval_is_students_of_the_paired_differences():
    one, other = [0.91, 0.88, 0.95, 0.90, 0.93], [0.85, 0.86, 0.90, 0.88, 0.86]
    found = paired(one, other)
    wanted = stats.ttest_rel(one, other).confidence_interval(0.95)
    assert found.mean == pytest.approx(0.044) and found.count == 5
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))
    # by hand: differences 0.06 0.02 0.05 0.02 0.07, sd 0.0230, t(4) 2.776
    assert (found.low, found.high) == pytest.approx((0.01545, 0.07255), abs=2e-4)
    assert found.sign == 1 and paired(other, one).sign == -1


def test_few_and_equal_values():
    assert mean_interval([]) is None
    assert mean_interval([0.5]) == Interval(0.5, None, None, 1, 0.95) and mean_interval([0.5]).sign == 0
    for alike in ([0.25] * 3, [0.1 + 0.2, 0.3]):  # the second two but for rounding
        found = mean_interval(alike)
        assert (found.low, found.high, found.count, found.sign) == (None, None, len(alike), 0)
        assert found.mean == pytest.approx(alike[0])
    assert mean_interval([0.25, 0.2500001]).sign == 1
    assert spread([1.0, 3.0]) == pytest.approx((2, np.sqrt(2))) and spread([1.0]) == (1, None)


def test_intervals_of_several_measures_hold_together():
    assert simultaneous(1) == 0.95 and simultaneous(5) == 0.99
    values = [0.1, 0.3, 0.2]
    assert mean_interval(values, simultaneous(4)).high > mean_interval(values).high


def run(arm, seed, f1, averages=(1.0,), held_out=None, fractions=(0.5,), steps=4):
    """A run of as many sessions as ``averages``; ``f1`` of each session's network, or of all."""
    f1 = [f1] * len(averages) if isinstance(f1, float) else f1
    sessions = [
        {"session": i, "average_loss": a, "validation_loss": v, "saturation_step": 2, "saturation_share": s}
        | {"premature": s < 0.5}
        for i, (a, v, s) in enumerate(
            zip(averages, held_out or averages, fractions * len(averages), strict=False), start=1
        )
    ]
    scores = {"held-out": {i: {"f1": value, "mean_iou": value, "ap": value} for i, value in enumerate(f1, 1)}}
    losses = [np.full(steps, average) for average in averages]
    return RunResult(arm, seed, sessions, int(np.argmin(averages)) + 1, losses, scores)


def study(runs, primary=({"measure": "f1", "test": "held-out", "network": "last"},), seeds=(0, 1, 2), **more):
    arm = {"description": "", "sessions": 1, "steps": 4, "images_seen": 8, "real": [], "recipe": {"name": "r"}}
    plan = {
        "question": "Is a better than b?",
        "claim": {"arm": "a", "against": "b"},
        "primary": list(primary),
        "seeds": list(seeds),
        "tests": {
            "held-out": {
                "data": "/d/held-out",
                "networks": "all",
                "images": 3,
                "masks": "hand",
                "iou": 0.5,
                "score": 0.5,
                "classes": False,
            }
        },
        "arms": {"b": {**arm, "against": "b"}, "a": {**arm, "against": "b", "sessions": 2, **more}},
        "amendments": [],
    }
    made = {(each.arm, each.seed): each for each in runs}
    return StudyResults(plan, made, [(a, s) for s in seeds for a in "ba" if (a, s) not in made])


def outcome(of_a, of_b, **more):
    pairs = zip(of_a, of_b, strict=True)
    return study([r for s, (a, b) in enumerate(pairs) for r in (run("a", s, a), run("b", s, b))], **more)


@pytest.mark.parametrize(
    "of_a, of_b, verdict, answer",
    [
        ([0.9, 0.92, 0.91], [0.8, 0.81, 0.82], "better", "Shown: a is better than b in the primary measure."),
        ([0.7, 0.72, 0.71], [0.8, 0.81, 0.82], "worse", "Shown to be wrong: a is worse than b in the primary measure."),
        (
            [0.9, 0.7, 0.8],
            [0.8, 0.82, 0.81],
            "not shown",
            "Not shown: that a is better or worse than b in the primary measure.",
        ),
    ],
)
def test_a_win_a_loss_and_a_tie_are_called_what_they_are(of_a, of_b, verdict, answer):
    found = judged(outcome(of_a, of_b))
    assert [each.verdict for each in found] == [verdict] and headline(found) == answer
    words = sentence(found[0])
    gain = found[0].gain
    assert f"{gain.mean:+.3f} (95 % interval {gain.low:+.3f} to {gain.high:+.3f}, 3 seeds)" in words
    assert ("not shown" in words) == (verdict == "not shown")


@pytest.mark.parametrize("of_a, said", [([0.8, 0.8], "+0.000"), ([0.9, 0.9], "+0.100"), ([0.7, 0.7], "-0.100")])
def test_a_difference_that_is_the_same_with_all_seeds_shows_nothing(of_a, said):
    """Student's t of a sample variance of 0 is undefined; that two seeds agree to the last digit is no certainty."""
    made = outcome(of_a, [0.8, 0.8], seeds=(0, 1))
    found = judged(made)
    assert found[0].verdict == "not shown"
    assert headline(found) == "Not shown: that a is better or worse than b in the primary measure."
    assert sentence(found[0]).endswith(f"the difference is {said} (no interval: the same with all 2 seeds).")
    cells = next(row for row in differences_table(made, "held-out").rows if row[0] == "a")
    assert cells[2] == said  # no brackets, no star


def test_a_lower_loss_is_a_gain():
    primary = ({"measure": "validation_loss", "test": None, "network": "last"},)
    runs = [run("a", s, 0.5, held_out=(0.4 + 0.01 * s,)) for s in range(3)]
    runs += [run("b", s, 0.5, held_out=(0.6 + 0.02 * s,)) for s in range(3)]
    found = judged(study(runs, primary))[0]
    assert found.verdict == "better" and found.gain.mean == pytest.approx(0.21)


def test_several_primary_measures_have_wider_intervals_and_one_answer():
    twice = [{"measure": name, "test": "held-out", "network": "last"} for name in ("f1", "mean_iou")]
    made = outcome([0.9, 0.92, 0.91], [0.8, 0.81, 0.83], primary=twice)
    found = judged(made)
    assert found[0].gain.confidence == 0.975
    assert found[0].gain.low < compare(made, "a", "b", F1, 0.95).gain.low
    assert "97.5 % interval" in sentence(found[0])
    verdicts = {0.1: "better", -0.1: "worse", 0.0: "not shown"}

    def of(*gains):
        width = 0.01
        return [Comparison("a", "b", F1, Interval(g, g - width, g + width, 5, 0.95)) for g in gains]

    assert [each.verdict for each in of(*verdicts)] == list(verdicts.values())
    assert headline(of(0.1, 0.1)) == "Shown: a is better than b in all 2 primary measures."
    assert headline(of(0.1, -0.1)) == "Mixed: a is better than b in 1 and worse in 1 of 2 primary measures."
    one = "a is better than b in 1 of 2 primary measures; in the others no difference is shown."
    assert headline(of(0.1, 0.0)) == one
    assert headline(of(0.0, -0.1)) == one.replace("better", "worse")


def test_one_seed_says_nothing_and_missing_runs_are_named():
    made = study([run("a", 0, 0.9), run("b", 0, 0.1), run("a", 1, 0.9)], seeds=(0, 1))
    found = judged(made)
    assert found[0].gain.count == 1 and found[0].verdict == "not measured"
    words = conclusion(made, found, [])
    assert words[0].startswith("Not measured yet") and "1 of 4 runs are missing" in words[1]


def test_the_choice_of_a_session_is_judged_by_what_had_no_part_in_it():
    """The least average loss is in session 2, the last is 3; chosen, it is better in its own figure only."""
    a = [run("a", s, [0.5, 0.6, 0.7 + 0.01 * s], (1.0, 0.5, 0.9), (1.0, 0.95, 0.9)) for s in range(3)]
    found = {(c.measure, c.test): c for c in choices(study([*a, *(run("b", s, 0.5) for s in range(3))]))}
    own, aside, f1 = found["average_loss", None], found["validation_loss", None], found["f1", "held-out"]
    assert own.over_last.mean == pytest.approx(0.4) and own.over_random.mean == pytest.approx(0.3)
    assert aside.over_last.mean == pytest.approx(-0.05) and aside.over_random.mean == pytest.approx(0, abs=1e-12)
    assert f1.over_last.mean == pytest.approx(-0.11) and f1.over_last.sign == -1
    assert f1.over_random.mean == pytest.approx(np.mean([0.6 - (1.8 + 0.01 * s) / 3 for s in range(3)]))
    assert {c.arm for c in found.values()} == {"a"}


def test_the_conclusion_holds_the_papers_figure_saturation_and_unequal_budgets():
    runs = [run("b", s, 0.5, (1.0 + 0.1 * s,)) for s in range(3)]
    runs += [run("a", s, 0.5, (0.8 + 0.1 * s, 0.7 + 0.1 * s), fractions=(0.8,)) for s in range(3)]
    made = study(runs, images_seen=16, steps=8)
    words = " ".join(conclusion(made, judged(made), choices(made)))
    assert "a and b are no equals: 8 and 4 steps. a and b are no equals: 16 and 8 images seen." in words
    assert "the best session of a gains +0.300" in words
    assert (
        "The batch loss of b saturates at 50% of a session on average, prematurely (before half of it) in 0 of 3"
        in words
    )
    assert "The batch loss of a saturates at 80%" in words
    assert "average loss: the session with the least average loss is not shown to be better or worse" in words


def test_the_papers_figure_is_the_best_session_beside_the_whole_and_the_last_steps():
    """Sessions of two steps with the means 2 and 0.5, beside one whose loss falls from 8 to 1 in eight steps."""
    runs = [replace(run("a", seed, 0.5), losses=[np.array([3.0, 1.0]), np.array([1.0, 0.0])]) for seed in (0, 1)]
    runs += [replace(run("b", seed, 0.5), losses=[np.arange(8.0, 0, -1) + seed]) for seed in (0, 1)]
    whole, last = papers_figure(study(runs, seeds=(0, 1)), "a", "b")
    assert (whole.mean, whole.count) == (np.mean([4.5 - 0.5, 5.5 - 0.5]), 2)
    assert (last.mean, last.count) == (np.mean([1.5 - 0.5, 2.5 - 0.5]), 2)


@pytest.mark.parametrize(
    "value, text",
    [(0.0123, "+0.012"), (-0.0006, "-0.001"), (0.00049, "+4.9e-04"), (-3e-5, "-3.0e-05"), (-1e-10, "+0.000")],
)
def test_a_difference_that_is_small_but_there_is_not_said_to_be_0(value, text):
    assert number(value) == text


def test_the_page_has_conclusion_tables_and_figures(tmp_path):
    made = outcome([0.9, 0.92, 0.91], [0.8, 0.81, 0.82])
    words = write_page(made, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert all(text.replace("'", "&#39;") in page for text in words)
    assert page.count("data:image/svg+xml") >= 4 and "/d/held-out" not in page and "…/held-out" in page
    numbers = json.loads((tmp_path / "report.json").read_text())
    assert numbers["primary"][0]["verdict"] == "better"
    assert numbers["primary"][0]["pairs"][1] == {"seed": 1, "arm": 0.92, "against": 0.81}
    assert numbers["values"]["a"][2]["F1 on held-out (last network)"] == 0.91
    before = (tmp_path / "report.html").read_bytes()
    write_page(made, tmp_path)
    assert (tmp_path / "report.html").read_bytes() == before


def test_a_study_without_a_finished_run_has_a_page(tmp_path):
    words = write_page(study([]), tmp_path)
    assert "6 of 6 runs are missing" in words[1] and (tmp_path / "report.html").stat().st_size > 5000


PLAN = {
    "format": "handforge-study-1",
    **{"question": "", "seeds": [0], "claim": {"arm": "a", "against": "b"}, "amendments": [], "tests": {}},
    "primary": [{"measure": "average_loss", "test": None, "network": "last"}],
    "arms": {
        name: {"description": "", "against": "b", "sessions": 1, "steps": 1, "images_seen": 1, "real": [], "recipe": {}}
        for name in "ab"
    },
}
"""A study of two arms, of which nothing has been trained."""


def test_a_study_of_which_nothing_is_trained_is_read(tmp_path):
    (tmp_path / "study.json").write_text(json.dumps(PLAN))
    assert read_study(tmp_path).missing == [("a", 0), ("b", 0)]


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "is not the folder of a study"),
        ({"format": "handforge-study-0"}, "is of another version"),
        ({"format": "handforge-study-1", "claim": {}}, "is not a record of a study: claim: arm is missing"),
        ([], "is not a record of a study; make"),
        (PLAN | {"seeds": "0"}, "is not a record of a study: seeds is a text"),
        (PLAN | {"tests": {"t": {"data": "d"}}}, "is not a record of a study: tests: id is missing"),
        (PLAN | {"claim": {"arm": "a", "against": "c"}}, "names 'c', of which it says no more"),
        (PLAN | {"primary": [{"measure": "f1", "test": "t", "network": "last"}]}, "names 't', of which"),
    ],
)
def test_another_folder_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "study.json").write_text(json.dumps(content))
    with pytest.raises(ResultsError, match=message):
        read_study(tmp_path)


@pytest.fixture
def tested(tmp_path):
    """A study of one run with two networks: the first is the best one, and its results are ``four_images``; the last
    found nothing.
    """
    dataset, results = four_images(tmp_path / "scene")
    test = {"data": str(dataset.folder), "id": dataset.id, "images": 4, "networks": "last and best", "masks": "hand"}
    test |= {"region": "skin", "score": 0.5, "iou": 0.5}
    run_folder = write_run(tmp_path / "study/a/seed0", dataset, results, "held-out-01")
    write_run(run_folder / "copy", dataset, write_results(tmp_path / "none.json", []), "held-out-02")
    (run_folder / "copy/predictions/held-out-02").rename(run_folder / "predictions/held-out-02")
    change(run_folder / "run.json", finished=True, best_session=1)
    (tmp_path / "study/study.json").write_text(json.dumps(PLAN | {"tests": {"held-out": test}}))
    return tmp_path / "study"


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def f1_of(folder):
    """F1 of the best and the last network of arm a with seed 0."""
    found = read_study(folder).runs["a", 0]
    return [found.value(Measure("f1", "held-out", network)) for network in ("best", "last")]


def test_a_runs_networks_are_scored_each_by_its_own_results(tested):
    """By hand: two of five predictions and of four hands are right, so F1 is 2 * 2 / (5 + 4)."""
    found = read_study(tested)
    assert f1_of(tested) == pytest.approx([4 / 9, 0])
    assert found.runs["a", 0].value(Measure("mean_iou", "held-out", "best")) == pytest.approx((0.8 + 0.5) / 2)
    assert found.runs["a", 0].value(Measure("average_loss", None, "last")) == 0.75
    assert [len(losses) for losses in found.runs["a", 0].losses] == [40, 40] and found.missing == [("b", 0)]


def test_results_are_scored_anew_only_where_they_or_the_test_are_others(tested):
    first, last = (tested / f"a/seed0/predictions/held-out-0{number}" for number in (1, 2))
    assert f1_of(tested) == pytest.approx([4 / 9, 0])
    kept = json.loads((first / "score.json").read_text())
    change(first / "score.json", scores=kept["scores"] | {"f1": 0.123})
    (last / "results.json").write_bytes((first / "results.json").read_bytes())
    assert f1_of(tested) == pytest.approx([0.123, 4 / 9])
    test = json.loads((tested / "study.json").read_text())["tests"]["held-out"]
    change(tested / "study.json", tests={"held-out": test | {"score": 0.25}})
    assert f1_of(tested) == pytest.approx([3 * 2 / (6 + 4)] * 2)  # the third hand is found too


def test_a_run_that_is_not_finished_or_not_tested_is_missing(tested):
    run_folder = tested / "a/seed0"
    change(run_folder / "run.json", finished=False)
    assert read_study(tested).missing == [("a", 0), ("b", 0)]
    change(run_folder / "run.json", finished=True)
    (run_folder / "predictions/held-out-01/predict.json").unlink()
    assert read_study(tested).missing == [("a", 0), ("b", 0)]


def test_another_dataset_than_was_tested_is_refused(tested):
    test = json.loads((tested / "study.json").read_text())["tests"]["held-out"]
    change(tested / "study.json", tests={"held-out": test | {"id": "0123456789ab"}})
    with pytest.raises(ResultsError, match="the dataset of the test held-out is another one than was tested"):
        read_study(tested)
