"""The published cases: Dadgar & Brunnett, VISAPP 2023, doi 10.5220/0011658900003417."""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.tables import text


@dataclass(frozen=True)
class Case:
    """A row of the paper's tables.

    ``iou``, ``acc`` and ``f1`` are None where it prints NAN, ``tph`` where it prints none.
    """

    name: str
    input: str
    hands: int
    training: str
    iou: float | None
    acc: float | None
    f1: float | None
    tph: int | None = None
    network: str = ""
    """The case whose network this one tests; its own, if empty."""

    def cells(self) -> list[str]:
        """The row in the order of :func:`evaluation.tables.score_table` after its label; not printed is a
        dash.
        """
        found = ["NAN" if value is None else text(value) for value in (self.iou, self.acc, self.f1)]
        return [str(self.hands), "–", "–", "–", *found, text(self.tph), "–", "–"]


CASES: tuple[Case, ...] = (
    Case("C1", "Img1", 100, "synthetic only; 5 epochs x 1000 steps, ROI 300, 4+", 0.837, 0.862, 0.926, 100),
    Case("C2", "Img1", 100, "synthetic only; 10 repetitions of at most 5 epochs", 0.89, 0.855, 0.922, 100),
    Case("C3", "Vid1", 1425, "the network of C1", 0.483, 0.259, 0.412, network="C1"),
    Case("C4", "Vid2", 1425, "the network of C1", 0.580, 0.515, 0.680, network="C1"),
    Case("C5", "Vid1", 1425, "10 subsets + EgoHands x5, right hands only; 4 epochs x 150 steps", None, None, None),
    Case("C6", "Vid1", 1425, "from C5; 4 subsets + Altlab1 x10; 4 epochs x 500 steps, 4+", 0.592, 0.361, 0.530),
    Case("C7", "Vid1", 1425, "from C5; + Altlab1 x10, starting at 3+", 0.826, 0.030, 0.059),
    Case("C8", "Vid1", 1425, "the next repetition of C7", 0.747, 0.543, 0.704),
    Case("C9", "Vid1", 1425, "C8's subset again, other layers frozen", 0.700, 0.811, 0.900),
    Case("C10", "Vid2", 1425, "the network of C9", 0.703, 0.607, 0.755, network="C9"),
    Case("C11", "Vid3", 1500, "the network of C9", 0.452, 0.560, 0.718, network="C9"),
)
"""All eleven cases, in the paper's order."""

SYNTHETIC = CASES[:2]
"""Those that were trained on synthetic images alone and tested on photographs."""
