"""The conclusion in words. Every sentence follows from numbers by a rule that stands here.

Better or worse is said where the whole interval lies on one side of 0; else it is not shown, and the interval says how
large a difference is still possible. A difference that is the same with all seeds has no interval, so it is not shown
either. The claim is judged by its primary measures alone, whose intervals hold together
at 95 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.study.results import Measure as StudyMeasure
from evaluation.study.results import StudyResults
from evaluation.study.selection import Choice
from evaluation.study.statistics import Interval, paired, simultaneous


@dataclass(frozen=True)
class Comparison:
    """An arm beside another in one measure.

    :param gain: above 0 the arm is the better one, also in a loss; None without a pair.
    """

    arm: str
    against: str
    measure: StudyMeasure
    gain: Interval | None

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, ``not shown``, or ``not measured`` (fewer than two pairs)."""
        if self.gain is None or self.gain.count < 2:
            return "not measured"
        return {1: "better", -1: "worse", 0: "not shown"}[self.gain.sign]


def compare(study: StudyResults, arm: str, against: str, measure: StudyMeasure, confidence: float) -> Comparison:
    """Compare two arms over the seeds that both have."""
    pairs = study.pairs(arm, against, measure)
    one, other = [pair[1] for pair in pairs], [pair[2] for pair in pairs]
    gain = paired(other, one, confidence) if measure.lower_is_better else paired(one, other, confidence)
    return Comparison(arm, against, measure, gain)


def judged(study: StudyResults) -> list[Comparison]:
    """The claim in each primary measure."""
    claim, primary = study.plan["claim"], study.primary
    confidence = simultaneous(len(primary))
    return [compare(study, claim["arm"], claim["against"], measure, confidence) for measure in primary]


def number(value: float) -> str:
    """A difference as sentences say it: ``+0.012``."""
    if abs(value) < 1e-9:  # what is left of rounding
        return "+0.000"
    return f"{value:+.3f}" if abs(value) >= 0.0005 else f"{value:+.1e}"


def between(gain: Interval) -> str:
    """``+0.012 (95 % interval +0.003 to +0.021, 5 seeds)``."""
    if gain.low is None or gain.high is None:
        why = "one seed" if gain.count < 2 else f"no interval: the same with all {gain.count} seeds"
        return f"{number(gain.mean)} ({why})"
    percent = f"{100 * gain.confidence:.4g}"
    return f"{number(gain.mean)} ({percent} % interval {number(gain.low)} to {number(gain.high)}, {gain.count} seeds)"


def sentence(found: Comparison) -> str:
    """One comparison in words."""
    what = str(found.measure)
    if found.gain is None or found.verdict == "not measured":
        return f"{what}: not measured with two seeds or more, so nothing is said of {found.arm} beside {found.against}."
    if found.verdict == "not shown":
        return (
            f"{what}: not shown that {found.arm} is better or worse than {found.against}; the difference is "
            f"{between(found.gain)}."
        )
    return f"{what}: {found.arm} is {found.verdict} than {found.against}, by {between(found.gain)}."


def headline(found: Sequence[Comparison]) -> str:
    """The answer in one sentence, from the verdicts on all primary measures."""
    arm, against = found[0].arm, found[0].against
    verdicts = [each.verdict for each in found]
    better, worse = verdicts.count("better"), verdicts.count("worse")
    of = f"{len(verdicts)} primary measures" if len(verdicts) > 1 else "the primary measure"
    if better and worse:
        return f"Mixed: {arm} is better than {against} in {better} and worse in {worse} of {of}."
    if better == len(verdicts):
        return f"Shown: {arm} is better than {against} in {'all ' if better > 1 else ''}{of}."
    if worse == len(verdicts):
        return f"Shown to be wrong: {arm} is worse than {against} in {'all ' if worse > 1 else ''}{of}."
    if better or worse:
        kind, count = ("better", better) if better else ("worse", worse)
        return f"{arm} is {kind} than {against} in {count} of {of}; in the others no difference is shown."
    if "not shown" in verdicts:
        return f"Not shown: that {arm} is better or worse than {against} in {'any of ' if len(found) > 1 else ''}{of}."
    return f"Not measured yet: {arm} beside {against} needs two seeds or more of both."


def conclusion(study: StudyResults, found: Sequence[Comparison], chosen: Sequence[Choice]) -> list[str]:
    """All sentences of the conclusion, the answer first."""
    total = len(study.runs) + len(study.missing)
    words = [headline(found)]
    if study.missing:
        words.append(f"The study is not finished: {len(study.missing)} of {total} runs are missing.")
    words += [sentence(each) for each in found]
    if len(found) > 1:
        words.append("These intervals hold all together at 95 % (Bonferroni); all others on this page hold one by one.")
    claim = study.plan["claim"]
    words += _same_budget(study, claim["arm"], claim["against"])
    words += _papers_figure(study, claim["arm"], claim["against"])
    words += [text for arm in (claim["against"], claim["arm"]) if (text := _saturation(study, arm))]
    words += [_choice(choice) for choice in chosen if choice.arm == claim["arm"] and choice.over_last]
    return words


def _same_budget(study: StudyResults, arm: str, against: str) -> list[str]:
    one, other = study.plan["arms"][arm], study.plan["arms"][against]
    return [
        f"{arm} and {against} are no equals: {one[key]:,} and {other[key]:,} {key.replace('_', ' ')}."
        for key in ("steps", "images_seen")
        if one.get(key) != other.get(key) and one.get(key) and other.get(key)
    ]


def papers_figure(study: StudyResults, arm: str, against: str) -> tuple[Interval, Interval] | None:
    """By how much the average loss of the best session of ``arm`` is below that of the whole of ``against``, as the
    paper compares them; and below that of its last steps, as many as a session of ``arm`` has.
    """
    whole, last, best = [], [], []
    for seed in study.plan["seeds"]:
        one, other = study.runs.get((arm, seed)), study.runs.get((against, seed))
        if one and other:
            losses = np.concatenate(other.losses)
            whole.append(float(losses.mean()))
            last.append(float(losses[-min(map(len, one.losses)) :].mean()))
            best.append(min(float(values.mean()) for values in one.losses))
    one_gain, other_gain = paired(whole, best), paired(last, best)
    return (one_gain, other_gain) if one_gain and other_gain else None


def _papers_figure(study: StudyResults, arm: str, against: str) -> list[str]:
    found = papers_figure(study, arm, against)
    if found is None or study.plan["arms"][arm]["sessions"] < 2:
        return []
    return [
        f"By the paper's own figure, the average loss: the best session of {arm} gains {between(found[0])} over the "
        f"whole of {against}, whose average holds its costly first steps; over its last steps, as many as one session "
        f"has, {between(found[1])}."
    ]


def _saturation(study: StudyResults, arm: str) -> str:
    """Where the sessions of an arm saturate, and how many of them early."""
    fractions, early, count = study.saturation(arm)
    if not fractions:
        return ""
    return (
        f"The batch loss of {arm} saturates at {np.mean(fractions):.0%} of a session on average, prematurely (before "
        f"half of it) in {early} of {count} sessions."
    )


def _choice(choice: Choice) -> str:
    assert choice.over_last
    what = str(StudyMeasure(choice.measure, choice.test)).removesuffix(" (last network)")
    verdict = {1: "is better", -1: "is worse", 0: "is not shown to be better or worse"}[choice.over_last.sign]
    text = f"{choice.arm}, {what}: the session with the least average loss {verdict} than the last one"
    text += f", by {between(choice.over_last)}"
    if choice.over_random:
        text += f"; than a session drawn at random, by {between(choice.over_random)}"
    by = " (it was chosen by this figure)" if choice.measure == "average_loss" else ""
    return f"{text}{by}."
