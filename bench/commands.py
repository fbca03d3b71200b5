"""How well chat commands are read: `python -m bench.commands PATH [--json]`.

PATH is a JSONL file with one {"text", "role", "intent", "slots"} a line. With --json one object is printed: `n`,
`intent_accuracy`, `slot_f1`, `unknown_acted`, `ms_per_text`. Without it a table, with a trivial baseline beside it: the first
keyword decides, an id-like word is the only slot.
"""

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reading.commands import Command, Intent, read

Reader = Callable[[str, str], Command]


@dataclass(frozen=True)
class Case:
    """A text, who typed it, and what should be understood."""

    text: str
    role: str
    intent: str
    slots: dict[str, str | list[str]]


@dataclass(frozen=True)
class Figures:
    """What is reported; rates lie in 0..1, `unknown_acted` is the share of unknown talk that got another intent."""

    n: int
    intent_accuracy: float
    slot_f1: float
    unknown_acted: float
    ms_per_text: float


def load(path: Path) -> list[Case]:
    """The cases of a JSONL file. Raises KeyError or ValueError for a line of another shape."""
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [Case(row["text"], row.get("role", "employee"), row["intent"], row.get("slots", {})) for row in rows]


def measure(cases: list[Case], reader: Reader) -> tuple[Figures, list[Command]]:
    """The figures of `reader` over `cases`, and what it read, in the same order."""
    reader("预热", "employee")
    begun = time.perf_counter()
    answers = [reader(case.text, case.role) for case in cases]
    seconds = time.perf_counter() - begun
    unknown = [answer for case, answer in zip(cases, answers, strict=True) if case.intent == Intent.unknown]
    right = sum(answer.intent == case.intent for case, answer in zip(cases, answers, strict=True))
    figures = Figures(
        n=len(cases),
        intent_accuracy=_share(right, len(cases)),
        slot_f1=slot_f1((case.slots, answer.slots) for case, answer in zip(cases, answers, strict=True)),
        unknown_acted=_share(sum(answer.intent != Intent.unknown for answer in unknown), len(unknown)),
        ms_per_text=round(1000 * seconds / max(1, len(cases)), 3),
    )
    return figures, answers


def slot_f1(slots: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> float:
    """Micro F1 over (key, value) pairs of (wanted, got), each target counted by itself; 1.0 when there are no slots."""
    hits = wanted_total = got_total = 0
    for wanted, got in slots:
        wanted_pairs, got_pairs = _pairs(wanted), _pairs(got)
        hits += (wanted_pairs & got_pairs).total()
        wanted_total += wanted_pairs.total()
        got_total += got_pairs.total()
    return _share(2 * hits, wanted_total + got_total) if wanted_total + got_total else 1.0


def _pairs(slots: dict[str, Any]) -> Counter[tuple[str, str]]:
    return Counter((key, value) for key, values in slots.items() for value in (values if isinstance(values, list) else [values]))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


_KEYWORDS = (
    ("免填|豁免", Intent.exempt_status),
    ("升级|逾期|超时", Intent.escalation_list),
    ("怎么|什么|规则|例子|帮助", Intent.help),
    ("截图|照片|录音|视频|链接|附件", Intent.attach_evidence),
    ("撤|删|作废|收回", Intent.withdraw),
    ("改成|修改|更正|补充", Intent.edit),
    ("推迟|延后|稍后|晚点|再提醒", Intent.snooze),
    ("转给|交给|代办|改派", Intent.delegate),
    ("催|提醒|通知", Intent.remind),
    ("没回|处理了吗|未|待", Intent.pending),
    ("率|多少", Intent.metric_query),
    ("我的|我这周", Intent.my_week),
    ("组|团队|门店|周报|汇总", Intent.team_week),
    ("接受|异议|同意|收到", Intent.reply_feedback),
    ("反馈|表扬|写|记", Intent.give_feedback),
)


def baseline(text: str, role: str) -> Command:
    """The first keyword of a fixed list decides; the only slot is an id like A-102."""
    intent = next((intent for words, intent in _KEYWORDS if re.search(words, text)), Intent.unknown)
    found = re.search(r"[A-Z]-?\d+", text)
    return Command(intent, feedback_id=found.group() if found and intent is not Intent.unknown else None)


def _table(cases: list[Case], figures: Figures, trivial: Figures, answers: list[Command]) -> str:
    lines = [f"{'':<16}{'rules':>10}{'baseline':>10}"]
    for name, value in asdict(figures).items():
        lines.append(f"{name:<16}{value:>10}{asdict(trivial)[name]:>10}")
    lines.append(f"\n{'intent':<17}{'cases':>6}{'recall':>8}{'precision':>11}")
    for intent in Intent:
        given = [answer.intent == intent for case, answer in zip(cases, answers, strict=True) if case.intent == intent]
        taken = [case.intent == intent for case, answer in zip(cases, answers, strict=True) if answer.intent == intent]
        recall = f"{_share(sum(given), len(given)):.2f}" if given else "–"
        precision = f"{_share(sum(taken), len(taken)):.2f}" if taken else "–"
        lines.append(f"{intent:<17}{len(given):>6}{recall:>8}{precision:>11}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how well chat commands are read.")
    parser.add_argument("path", type=Path, help="JSONL with text, role, intent, slots")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    arguments = parser.parse_args()
    cases = load(arguments.path)
    figures, answers = measure(cases, read)
    if arguments.json:
        print(json.dumps(asdict(figures)))
    else:
        print(_table(cases, figures, measure(cases, baseline)[0], answers))


if __name__ == "__main__":
    main()
