"""How good the minimal-feedback gate is: `python -m bench.gate PATH [PATH…] [--json]`.

Each PATH is a JSONL with `text`, `scene`, `action`, `impact` and, where known, `industry` and `kind`. A text
passes when all three elements are there. false_pass: share of the truly failing that pass; false_reject:
share of the truly passing that are rejected.
"""

import argparse
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reading import sentence

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Row:
    """A labelled text; `industry` and `kind` are "" where the file does not say."""

    text: str
    scene: bool
    action: bool
    impact: bool
    industry: str = ""
    kind: str = ""

    @property
    def passes(self) -> bool:
        return self.scene and self.action and self.impact

    def label(self) -> str:
        return "".join("01"[present] for present in (self.scene, self.action, self.impact))


@dataclass(frozen=True)
class Verdict:
    """What a gate says about one text."""

    scene: bool
    action: bool
    impact: bool

    @property
    def passes(self) -> bool:
        return self.scene and self.action and self.impact

    def label(self) -> str:
        return "".join("01"[present] for present in (self.scene, self.action, self.impact))


def load(path: Path) -> list[Row]:
    """Read a JSONL of labelled texts. Raises OSError or ValueError (with the line) for an unreadable file."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            rows.append(
                Row(
                    row["text"],
                    bool(row["scene"]),
                    bool(row["action"]),
                    bool(row["impact"]),
                    str(row.get("industry") or ""),
                    str(row.get("kind") or ""),
                )
            )
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name}, line {number}: {error!r}; wanted text, scene, action, impact") from error
    return rows


def by_gate(text: str) -> Verdict:
    """The gate's own verdict."""
    judged = sentence.read(text)
    return Verdict(judged.scene.present, judged.action.present, judged.impact.present)


def by_length_and_digit(text: str) -> Verdict:
    """The trivial baseline: whoever writes thirty characters and a digit has said everything."""
    enough = len(text) >= 30 and re.search(r"\d", text) is not None
    return Verdict(enough, enough, enough)


def figures(rows: Sequence[Row], verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Shares in 0..1; F1 is 1 where there is nothing to find and nothing was found."""
    pairs = list(zip(rows, verdicts, strict=True))
    found: dict[str, float] = {"n": len(rows)}
    for element in ("scene", "action", "impact"):
        found[element + "_f1"] = _f1([(getattr(r, element), getattr(v, element)) for r, v in pairs])
    passes = [(row.passes, verdict.passes) for row, verdict in pairs]
    found["pass_f1"] = _f1(passes)
    found["false_pass"] = _share([judged for truth, judged in passes if not truth])
    found["false_reject"] = _share([not judged for truth, judged in passes if truth])
    return found


def _f1(pairs: Sequence[tuple[bool, bool]]) -> float:
    hits = sum(truth and judged for truth, judged in pairs)
    errors = sum(truth != judged for truth, judged in pairs)
    return 1.0 if hits == errors == 0 else 2 * hits / (2 * hits + errors)


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def measure(rows: Sequence[Row], gate: Callable[[str], Verdict] = by_gate) -> dict[str, float]:
    """The figures of `gate` on `rows`, with `ms_per_text` warm: one untimed reading of the first rows goes before."""
    for row in rows[:20]:
        gate(row.text)
    began = time.perf_counter()
    verdicts = [gate(row.text) for row in rows]
    elapsed = time.perf_counter() - began
    return figures(rows, verdicts) | {"ms_per_text": 1000 * elapsed / max(1, len(rows))}


def groups(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows by kind and by industry, each under its name; rows without one are left out."""
    found: dict[str, list[Row]] = {}
    for field in ("kind", "industry"):
        for name in sorted({getattr(row, field) for row in rows} - {""}):
            found[f"{field} {name}"] = [row for row in rows if getattr(row, field) == name]
    return found


_COLUMNS = ("n", "scene_f1", "action_f1", "impact_f1", "pass_f1", "false_pass", "false_reject", "ms_per_text")


def render(table: Mapping[str, Figures]) -> str:
    """A table for reading, one line for each name."""
    lines = [f"{'':<24}" + "".join(f"{column:>13}" for column in _COLUMNS)]
    for name, line in table.items():
        width = 24 - sum(ord(char) > 0x2E80 for char in name)
        cells = "".join(f"{line[c]:>13.0f}" if c == "n" else f"{line[c]:>13.3f}" if c in line else f"{'':>13}" for c in _COLUMNS)
        lines.append(f"{name:<{width}}" + cells)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the minimal-feedback gate on labelled texts (JSONL).")
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    arguments = parser.parse_args()
    rows = [row for path in arguments.paths for row in load(path)]
    whole = measure(rows)
    parts = {name: measure(members) for name, members in groups(rows).items()}
    baseline = measure(rows, by_length_and_digit)
    if arguments.json:
        print(json.dumps({**whole, "baseline": baseline, "groups": parts}, ensure_ascii=False))
        return
    print(render({"gate": whole, "30 characters + digit": baseline, **parts}))


if __name__ == "__main__":
    main()
