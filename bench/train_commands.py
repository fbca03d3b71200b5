"""Write reading/data/command_weights.json: `python -m bench.train_commands PATH [PATH…] [--folds N]`.

Learns from labelled texts (JSONL with text, role, intent) and from texts drawn from the grammar in command_phrases.txt. A text is
its signs (`reading/command_signs.py`); for each intent a sign gets one weight, by softmax regression with Adagrad; rare signs and
faint weights are dropped, so that the table can be read. Same input, same weights.

With --folds nothing is written: the labelled texts are split, and what was learned from the grammar and the other parts is
measured on each part. Those figures, never the ones on what was trained on, say how good the reading is.
"""

import argparse
import json
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.commands import Case, load
from reading.command_signs import signs, vocabulary
from reading.command_words import mark
from reading.commands import Intent, Weights, decide

PHRASES = Path(__file__).with_name("command_phrases.txt")
WEIGHTS = Path(__file__).parents[1] / "reading" / "data" / "command_weights.json"
DRAWN_PER_LINE = 22
EPOCHS = 8
STEP = 0.12
SHRINK = 0.0005
FAINT = 0.2  # weights nearer to nought are dropped
SEEN = 4  # texts a sign must stand in
OWN_WEIGHT = 6
FORGOTTEN = 0.3  # share of the exact words a drawn text forgets, so that its kinds of words learn to speak
TALK = (
    "一车货柜门口水电线板砖布色样品尺寸型号批次台面板房客厅楼层窗玻璃机床油漆皮带刀具温控冷热风干湿灯管纸箱胶带标签扫码称重秤盘碗筷锅菜肉鱼鸡蛋米面糖盐酱酒茶奶糕点街路桥站"
    "校园课本笔墨画歌舞球棋牌药针血压脉诊室床被枕衣裤鞋帽袜包伞表眼镜耳机屏幕键盘鼠标网线插座跑跳站坐躺推拉抬搬运装卸拆洗擦扫拖刷涂喷切剪缝补订买卖租借还存取送寄收拿放挂摆"
    "东西南北左右红黄蓝绿黑白大小长短快慢新旧轻重冷暖干净整齐安静热闹突然慢慢悄悄经常偶尔一起顺利刚好差点几乎终于"
)
# Classes whose words people use about anything; a stray one in other talk asks for nothing.
STRAY = frozenset({
    "accept", "yes", "promise", "explain", "thanks", "busy", "mine", "ours", "show", "which", "ask", "compare",
    "them", "refer", "part", "mistake", "praise", "add_words", "attach", "answered", "not_yet", "later",
    "vague_later", "again", "received", "value", "list", "urge", "how", "why", "what", "may", "edit", "withdraw",
    "write", "grammar", "count", "boss", "due", "nudge",
})  # fmt: skip
STRAY_WORDS = sorted(
    word for word, kinds in vocabulary().items() if STRAY.issuperset(kinds) and re.fullmatch(r"[\u4e00-\u9fff]+", word)
)
ROLES = ("supervisor", "employee", "hrbp")
LIKELY_ROLES = {"reply_feedback": ("employee", "employee", "supervisor"), "team_week": ("supervisor", "hrbp")}


Rows = dict[str, dict[Intent, float]]


@dataclass(frozen=True)
class Example:
    """The signs of a text, what it means, and how many times it counts."""

    signs: tuple[str, ...]
    intent: str
    counts: int


class Grammar:
    """The phrases of command_phrases.txt."""

    def __init__(self, text: str) -> None:
        self.classes: dict[str, list[str]] = {}
        self.lines: list[tuple[str, str]] = []
        intent = ""
        for line in text.splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            if heading := re.fullmatch(r"\[([a-z_]+)\]", line):
                intent = heading.group(1)
            elif definition := re.match(r"([A-Z]+) = (.*)", line):
                self.classes[definition.group(1)] = [part.strip() for part in definition.group(2).split(" | ")]
            else:
                self.lines.append((intent, line))

    def draw(self, rng: random.Random) -> Iterator[tuple[str, str]]:
        """(intent, text) of every line, DRAWN_PER_LINE times or as often as it differs."""
        for intent, line in self.lines:
            drawn = {self._expand(line, rng) for _ in range(DRAWN_PER_LINE)}
            yield from ((intent, text) for text in sorted(drawn) if text)

    def _expand(self, phrase: str, rng: random.Random) -> str:
        while chosen := re.search(r"\{([A-Z]+)\}|(?<!\\)\(([^()]*)\)", phrase):
            name, options = chosen.groups()
            if name == "TALK":
                word = "".join(rng.choices(TALK, k=rng.randint(3, 12)))
            elif name == "WORD":
                word = rng.choice(STRAY_WORDS)
            else:
                word = rng.choice(self.classes[name] if name else options.split("|"))
            phrase = phrase[: chosen.start()] + word + phrase[chosen.end() :]
        return re.sub(r"\\(.)", r"\1", phrase).strip()


def drawn_examples(seed: int = 11) -> list[Example]:
    """Examples from the grammar; a third of them without punctuation, as dictated."""
    rng = random.Random(seed)
    examples = []
    for intent, text in Grammar(PHRASES.read_text(encoding="utf-8")).draw(rng):
        spoken = re.sub(r"[，。：、]", "", text) if rng.random() < 0.3 else text
        role = rng.choice(LIKELY_ROLES.get(intent, ROLES))
        full = _example(spoken or text, role, intent, 1)
        kept = tuple(sign for sign in full.signs if not sign.startswith("“") or rng.random() > FORGOTTEN)
        examples.append(Example(kept, intent, 1))
    return examples


def _example(text: str, role: str, intent: str, counts: int) -> Example:
    return Example(tuple(signs(mark(text), role)), intent, counts)


def train(examples: Sequence[Example], seed: int = 7) -> Rows:
    """Sign → intent → weight; signs seen too rarely to be trusted are left out."""
    seen = Counter(sign for example in examples for sign in example.signs)
    examples = [
        Example(tuple(sign for sign in example.signs if seen[sign] >= SEEN), example.intent, example.counts) for example in examples
    ]
    weights: Rows = defaultdict(lambda: dict.fromkeys(Intent, 0.0))
    scale: Rows = defaultdict(lambda: dict.fromkeys(Intent, 1e-4))
    order = [index for index, example in enumerate(examples) for _ in range(example.counts)]
    shuffle = random.Random(seed)
    for _ in range(EPOCHS):
        shuffle.shuffle(order)
        for index in order:
            _step(examples[index], weights, scale)
    return {
        sign: kept
        for sign, row in sorted(weights.items())
        if (kept := {intent: round(weight, 1) for intent, weight in row.items() if abs(weight) >= FAINT})
    }


def _step(example: Example, weights: Rows, scale: Rows) -> None:
    rows = [(weights[sign], scale[sign]) for sign in example.signs]
    scores = {intent: sum(row[intent] for row, _ in rows) for intent in Intent}
    highest = max(scores.values())
    odds = {intent: math.exp(score - highest) for intent, score in scores.items()}
    total = sum(odds.values())
    for intent, odd in odds.items():
        slope = odd / total - (intent == example.intent)
        if abs(slope) < 0.003:
            continue
        for row, spread in rows:
            spread[intent] += slope * slope
            moved = row[intent] - STEP * slope / math.sqrt(spread[intent])
            row[intent] = math.copysign(max(abs(moved) - SHRINK, 0.0), moved)


def labelled(paths: Sequence[Path]) -> list[Case]:
    """The cases of all files, one after another."""
    return [case for path in paths for case in load(path)]


def accuracy(cases: Sequence[Case], weights: Weights) -> tuple[float, float]:
    """Share of right intents, and share of unknown talk that got another intent."""
    answers = [decide(signs(mark(case.text), case.role), weights)[0] for case in cases]
    right = sum(answer == case.intent for case, answer in zip(cases, answers, strict=True))
    idle = [answer for case, answer in zip(cases, answers, strict=True) if case.intent == Intent.unknown]
    return right / len(cases), sum(answer != Intent.unknown for answer in idle) / max(1, len(idle))


def cross_validate(cases: Sequence[Case], folds: int) -> list[tuple[float, float]]:
    """`accuracy` of each part, learned from the grammar and the other parts."""
    drawn = drawn_examples()
    mixed = list(cases)
    random.Random(3).shuffle(mixed)
    results = []
    for fold in range(folds):
        others = [case for index, case in enumerate(mixed) if index % folds != fold]
        own = [_example(case.text, case.role, case.intent, OWN_WEIGHT) for case in others]
        results.append(accuracy(mixed[fold::folds], train([*drawn, *own])))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn what the signs of a chat command speak for.")
    parser.add_argument("paths", type=Path, nargs="*", help="JSONL with text, role, intent")
    parser.add_argument("--folds", type=int, default=0, help="cross-validate instead of writing")
    arguments = parser.parse_args()
    cases = labelled(arguments.paths)
    if arguments.folds:
        for right, acted in cross_validate(cases, arguments.folds):
            print(f"intent accuracy {right:.3f}   unknown acted {acted:.3f}")
        return
    own = [_example(case.text, case.role, case.intent, OWN_WEIGHT) for case in cases]
    weights = train([*drawn_examples(), *own])
    lines = ",\n".join(f" {json.dumps(sign, ensure_ascii=False)}: {json.dumps(row)}" for sign, row in sorted(weights.items()))
    WEIGHTS.write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
