"""Seeded, structure-aware changes of the files that the product reads: JSON, TOML, CSV, XML and texts."""

import copy
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**30, 10**400, 1e308, float("inf"), float("nan"), -0.5, 2.5),
    *("", "x", "a\0b", "\ud800", "../x", "/", "=1+1", "é", [], {}, [[]], {"a": 1}, [1, 2]),
)
"""Values that stand where others belong."""
MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))


def rounds(least: int, seed: int = 0) -> Iterator[np.random.Generator]:
    """A generator of random numbers for each round: so many rounds, or for as long as FUZZ_MINUTES says."""
    end, number = time.monotonic() + 60 * MINUTES, 0
    while number < least or time.monotonic() < end:
        yield np.random.default_rng([seed, number])
        number += 1


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """The paths of all values inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in items for place in ((*path, key), *places(item, (*path, key)))]


def mutate(value: Any, rng: np.random.Generator) -> Any:
    """Replace, drop or double one value; rarely the whole."""
    value = copy.deepcopy(value)
    every = places(value)
    if not every or rng.random() < 0.05:
        return ODD[rng.integers(len(ODD))]
    *parents, key = every[rng.integers(len(every))]
    inside = value
    for parent in parents:
        inside = inside[parent]
    kind = rng.integers(4)
    if kind == 0:
        del inside[key]
    elif kind == 1 and isinstance(inside, list):
        inside.insert(key, copy.deepcopy(inside[key]))
    else:
        inside[key] = ODD[rng.integers(len(ODD))]
    return value


def break_text(data: bytes, rng: np.random.Generator, likely: float = 0.2) -> bytes:
    """Cut a text, nest it, put odd bytes or thousands of digits into it; mostly leave it as it is."""
    at = int(rng.integers(len(data) + 1))
    fraction = likely / 4
    return (
        data,
        data[:at],
        data[:at] + bytes(rng.integers(0, 256, 3).tolist()) + data[at:],
        b"[" * 5000 + data,
        data[:at] + b"9" * 5000 + data[at:],
    )[rng.choice(5, p=(1 - likely, fraction, fraction, fraction, fraction))]


WORDS = (
    b"nan",
    b"inf",
    b"-1",
    b"0",
    b"1e400",
    b"1e308",
    b"99999999999999999999",
    b"''",
    b"[]",
    b"{}",
    b"a\0b",
    b"\xff",
)


def changed(data: bytes, suffix: str, rng: np.random.Generator) -> bytes:
    """A file's content, changed as its kind allows: JSON by its values, all others by words in lines."""
    if suffix == ".json":
        return break_text(json.dumps(mutate(json.loads(data), rng)).encode(errors="surrogatepass"), rng)
    lines = data.split(b"\n")
    number = int(rng.integers(len(lines)))
    words = lines[number].replace(b",", b" , ").replace(b"=", b" = ").replace(b'"', b' " ').split(b" ")
    kind = rng.integers(4)
    if kind == 0:
        del lines[number]
    elif kind == 1:
        lines.insert(number, lines[number])
    else:
        words[rng.integers(len(words))] = WORDS[rng.integers(len(WORDS))]
        lines[number] = b"".join(words) if suffix in (".csv", ".xml") else b" ".join(words)
    return break_text(b"\n".join(lines), rng)
