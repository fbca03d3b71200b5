"""What should not be: the findings of the self-audit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Wrong(StrEnum):
    """What was found. Each has its words in `cards/templates/_words.yaml`: alert_<value>, alert_<value>_do."""

    OVERDUE = "overdue"  # a stage of a loop that nobody took for three ticks
    STUCK = "stuck"  # a message in sending past two leases
    SILENT = "silent"  # nobody holds the DingTalk stream, or who holds it is not connected
    NO_DIGEST = "no_digest"  # a digest that was due an hour ago and is not composed for everybody


@dataclass(frozen=True)
class Finding:
    """`count` is how many there are."""

    what: Wrong
    count: int
