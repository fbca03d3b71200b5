"""Write reading/data/gate_weights.json from labelled texts: `python -m bench.train_gate PATH [PATH…] [--folds N]`.

Each PATH is a JSONL with `text`, `scene`, `action`, `impact`. A text is a bag of statements; the text has an
action if at least one statement tells of one (noisy or), so no one needs to label statements. Trained by
plain gradient steps with an L2 penalty; the same input gives the same weights. With --folds nothing is
written and the figures of a cross-validation are printed instead: those, never the figures on what was
trained on, say how good the gate is.
"""

import argparse
import json
import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.gate import Row, Verdict, figures, load, render
from reading import model, sentence
from reading.model import Weights

EPOCHS = 120
STEP = 0.25
PENALTY = 0.012


@dataclass(frozen=True)
class Example:
    """One text as its bags of signs (one bag for each statement) and whether the element is there."""

    bags: list[frozenset[str]]
    present: bool


def train(examples: Sequence[Example], seed: int = 7) -> dict[str, float]:
    """Weights by stochastic gradient (Adagrad) on the noisy-or likelihood."""
    weights: dict[str, float] = defaultdict(float)
    scale: dict[str, float] = defaultdict(lambda: 1e-6)
    order = list(range(len(examples)))
    shuffle = random.Random(seed)
    for _ in range(EPOCHS):
        shuffle.shuffle(order)
        for index in order:
            for sign, slope in _gradient(examples[index], weights).items():
                slope += PENALTY * weights[sign] * (sign != "bias")
                scale[sign] += slope * slope
                weights[sign] -= STEP * slope / math.sqrt(scale[sign])
    return {sign: round(weight, 3) for sign, weight in sorted(weights.items()) if abs(weight) >= 0.01}


def _gradient(example: Example, weights: Weights) -> dict[str, float]:
    parts = [model.likelihood(bag, weights) for bag in example.bags]
    whole = min(max(model.any_of(parts), 1e-6), 1 - 1e-6)
    slope: dict[str, float] = defaultdict(float)
    for bag, part in zip(example.bags, parts, strict=True):
        step = part if not example.present else -part * (1 - whole) / whole
        for sign in bag:
            slope[sign] += step
        slope["bias"] += step
    return slope


def learn(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """The whole table: action and impact first, then scene, which asks what is told to have happened."""
    table: dict[str, dict[str, float]] = {}
    readings = [sentence.observe(row.text) for row in rows]
    table["action"] = train([Example([*r.action_bags], row.action) for r, row in zip(readings, rows, strict=True)])
    table["impact"] = train([Example([*r.impact_bags], row.impact) for r, row in zip(readings, rows, strict=True)])
    known = [(r, row) for r, row in zip(readings, rows, strict=True) if row.kind in ("praise", "improve")]
    table["praise"] = train([Example([r.praise_bag], row.kind == "praise") for r, row in known])
    scenes = []
    for reading, row in zip(readings, rows, strict=True):
        told = sentence.judge(reading, table).told
        scenes.append(Example([reading.scene_bag(told)], row.scene))
    table["scene"] = train(scenes)
    return table


def cross_validate(rows: Sequence[Row], folds: int, seed: int = 11) -> list[Verdict]:
    """Every row judged by weights that have not seen it."""
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    verdicts: dict[int, Verdict] = {}
    for fold in range(folds):
        held = set(order[fold::folds])
        table = learn([row for i, row in enumerate(rows) if i not in held])
        for i in held:
            judged = sentence.read(rows[i].text, table)
            verdicts[i] = Verdict(judged.scene.present, judged.action.present, judged.impact.present)
    return [verdicts[i] for i in range(len(rows))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--wrong", action="store_true", help="with --folds: show the rows judged wrong")
    arguments = parser.parse_args()
    loaded = {path: load(path) for path in arguments.paths}
    sizes = {path: len(members) for path, members in loaded.items()}
    rows = [row for members in loaded.values() for row in members]
    if arguments.folds:
        verdicts = cross_validate(rows, arguments.folds)
        table = {f"{arguments.folds} folds, all": figures(rows, verdicts)}
        start = 0
        for path, size in sizes.items():
            table[f"{path.parent.name}/{path.name}"[:24]] = figures(rows[start : start + size], verdicts[start : start + size])
            start += size
        print(render(table))
        if arguments.wrong:
            for row, verdict in zip(rows, verdicts, strict=True):
                if verdict != Verdict(row.scene, row.action, row.impact):
                    print(f"{row.label()} -> {verdict.label()}  {row.text}")
        return
    target = Path(sentence.__file__).parent / "data" / "gate_weights.json"
    target.write_text(json.dumps(learn(rows), ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{target.name}: learned from {len(rows)} texts")


if __name__ == "__main__":
    main()
