"""A small logistic model over named signs: a table of weights, nothing more.

The table is data/gate_weights.json: element → sign → weight, with "bias" among the signs. It is written by
bench/train_gate.py and is meant to be read: a positive weight speaks for the element, a negative one against.
"""

import json
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files

Weights = Mapping[str, float]


@lru_cache(maxsize=1)
def table() -> Mapping[str, Weights]:
    """The weights of each element ("scene", "action", "impact")."""
    content: dict[str, dict[str, float]] = json.loads(files("reading").joinpath("data/gate_weights.json").read_text(encoding="utf-8"))
    return content


def likelihood(signs: Iterable[str], weights: Weights) -> float:
    """How likely the signs make the element, 0..1; a sign without a weight says nothing."""
    score = weights.get("bias", 0.0) + sum(weights.get(sign, 0.0) for sign in set(signs))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))


def any_of(likelihoods: Iterable[float]) -> float:
    """How likely at least one of several independent readings holds (noisy or), 0..1."""
    none = 1.0
    for one in likelihoods:
        none *= 1.0 - one
    return 1.0 - none
