"""Why an element was found or missed, in a few words that a card can put into a sentence."""

from collections.abc import Sequence
from enum import StrEnum


class Why(StrEnum):
    """The reason for one element's verdict."""

    # scene
    DAY_AND_EVENT = "day_and_event"  # a day, and something that happened on it
    THING_NAMED = "thing_named"  # one order, one customer, one machine
    OCCASION_NAMED = "occasion_named"  # a meeting, a shift, an event
    HABIT = "habit"  # always, never, every time: no single occasion
    ONLY_A_TIME = "only_a_time"  # a time with nothing but judgement after it
    # action
    DONE = "done"
    LEFT_UNDONE = "left_undone"
    ONLY_JUDGED = "only_judged"  # attitude, quality, blame
    TOO_VAGUE = "too_vague"  # 跟进, 协调, 处理: nobody could do it again from these words
    # impact
    LOSS = "loss"
    GAIN = "gain"
    AVERTED = "averted"  # what did not happen: 没有返工
    FIGURE = "figure"  # a figure that changed
    OTHERS_REACTED = "others_reacted"
    EMPTY_CONSEQUENCE = "empty_consequence"  # 影响恶劣, 损失很大: says that, not what
    ONLY_FEELING = "only_feeling"  # 客户满意: nobody did anything
    ONLY_POSSIBLE = "only_possible"  # may come, has not
    OTHER = "other"  # found by the sum of weaker signs
    NOT_SAID = "not_said"


_Table = Sequence[tuple[tuple[str, ...], Why]]

_SCENE_FOUND: _Table = (
    (("that_thing", "that_thing_described", "this_thing", "numbered_thing"), Why.THING_NAMED),
    (("time_day_and_act", "time_day_and_consequence", "time_period_and_act", "time_part_and_act"), Why.DAY_AND_EVENT),
    (("occasion", "occasion_of_time", "opens_with_occasion"), Why.OCCASION_NAMED),
)
_SCENE_MISSED: _Table = (
    (("habit", "habit_despite_day", "wont_to"), Why.HABIT),
    (("time_day_and_nothing", "time_period_and_nothing", "time_part_and_nothing", "time_period_and_consequence"), Why.ONLY_A_TIME),
)
_ACTION_FOUND: _Table = (
    (("act_left_undone", "something_left_undone"), Why.LEFT_UNDONE),
    (("act_word", "act_character", "handling", "aspect"), Why.DONE),
)
_ACTION_MISSED: _Table = (
    (("eval", "mind", "fault", "how_well", "four_characters", "you_and_four_characters"), Why.ONLY_JUDGED),
    (("vague",), Why.TOO_VAGUE),
)
_IMPACT_FOUND: _Table = (
    (("loss_averted", "none_at_all", "spared", "thing_did_not_happen"), Why.AVERTED),
    (("loss", "broke", "suffered", "given_back"), Why.LOSS),
    (("gain", "in_time"), Why.GAIN),
    (("change_by_figure", "metric_with_figure", "ranked", "bare_figure", "took_time"), Why.FIGURE),
    (("others_act", "others_did", "others_demand"), Why.OTHERS_REACTED),
)
_IMPACT_MISSED: _Table = (
    (("maybe",), Why.ONLY_POSSIBLE),
    (("empty_impact", "empty_consequence", "metric_changed_untold"), Why.EMPTY_CONSEQUENCE),
    (("emotion",), Why.ONLY_FEELING),
)


def why_scene(bag: frozenset[str], present: bool) -> Why:
    """The reason for the verdict on the scene, from the signs of the whole text."""
    return _first(_SCENE_FOUND, bag, Why.OTHER) if present else _first(_SCENE_MISSED, bag, Why.NOT_SAID)


def why_action(bags: Sequence[frozenset[str]], at: int | None) -> Why:
    """The reason for the verdict on the action; `at` is the statement it was found in."""
    return _why(bags, at, _ACTION_FOUND, _ACTION_MISSED)


def why_impact(bags: Sequence[frozenset[str]], at: int | None) -> Why:
    """The reason for the verdict on the impact; `at` is the statement it was found in."""
    return _why(bags, at, _IMPACT_FOUND, _IMPACT_MISSED)


def _why(bags: Sequence[frozenset[str]], at: int | None, found: _Table, missed: _Table) -> Why:
    return _first(found, bags[at], Why.OTHER) if at is not None else _first(missed, frozenset().union(*bags), Why.NOT_SAID)


def _first(table: _Table, bag: frozenset[str], otherwise: Why) -> Why:
    return next((why for signs, why in table if not bag.isdisjoint(signs)), otherwise)
