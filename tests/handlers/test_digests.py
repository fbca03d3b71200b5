"""The week's messages on a real database: exactly one each, in figures that stand in the ledger, whatever restarts in between."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from cards.catalog import EmployeeDigest, GroupDigest, LeaderDigest, MondayBrief, QuotaNudge, SupervisorDigest
from handlers import counts, digests, value
from handlers.context import Context
from handlers.counts import Taken
from rules.counts import Problem
from rules.digests import DigestPolicy, Kind
from rules.feedback import Behaviour, Refusal, State
from rules.feedback import Kind as FeedbackKind
from rules.messages import GroupChat
from rules.policy import Group, Library
from rules.value import Grade, Money, Rate
from rules.weeks import Week
from storage.digests import whom
from storage.outbox import Message
from tests.builders import at
from tests.handlers.conftest import POLICY, World

W37, W38, W39 = Week(2026, 37), Week(2026, 38), Week(2026, 39)
RETURN = Rate("return", 1, "退货往返", "次", 8000, 8000, "财务部", Grade.MEASURED, date(2026, 1, 1), None, ("退货", "寄回"))
BOXES = (
    Behaviour("calm", "先安抚再核实订单", FeedbackKind.PRAISE, "少一次退货往返运费", "return"),
    Behaviour("cut_in", "客户没说完就打断", FeedbackKind.IMPROVE, "客户要求换人接听", "return"),
)
OURS = replace(
    POLICY,
    libraries={"客服": Library(("上午的退货来电",), BOXES)},
    digests=DigestPolicy(rates=(RETURN,), leaders=("head",), pictures=False),
    groups=(Group("客服部", GroupChat("dingtalk", "cid-1"), leader="boss"),),
    pages_url="https://sanmiao.example.com",
)
FRIDAY, MONDAY = at("2026-09-18 17:00"), at("2026-09-21 09:00")


@pytest.fixture
def week(world: World) -> World:
    """A Tuesday: 李雷 was praised once and improved once, 孙悦 was praised; nobody has mentioned 王磊."""
    world.policy = world.dispatcher._policy = OURS
    world.now = at("2026-09-15 10:00")
    give(world, "李雷", "calm")
    improve(world, "李雷", "少寄回 23 次")
    give(world, "孙悦", "calm")
    return world


def give(world: World, name: str, box: str) -> Message:
    world.press("boss", world.checkin("boss", name), "give", box)
    world.deliver()
    return world.to("li" if name == "李雷" else "sun", "feedback_card")[0]


def improve(world: World, name: str, words: str) -> Message:
    card = give(world, name, "cut_in")
    world.press("li" if name == "李雷" else "sun", card, "improved")
    world.say("li" if name == "李雷" else "sun", words)
    return card


def take_in(world: World, *events: Mapping[str, object]) -> counts.Taken | tuple[Problem, ...]:
    with world.store.begin() as tx:
        return counts.take_in(Context(tx, world.now, world.policy), events)


def compose(world: World) -> None:
    world.tick(digests.compose_next)


def digest_of(world: World, who: str) -> EmployeeDigest:
    return EmployeeDigest.from_data(world.to(who, "employee_digest")[0].data)


def test_on_friday_everybody_gets_exactly_his_own_once(week: World) -> None:
    week.now = FRIDAY
    compose(week)
    week.deliver()
    compose(week)

    counts = {who: len(week.to(who, "employee_digest")) for who in week.ids}
    assert counts == {"li": 1, "sun": 1, "boss": 0, "wang1": 0, "wang2": 0, "other": 0, "hr": 0, "head": 0}
    assert [len(week.to(who, "supervisor_digest")) for who in ("boss", "other", "li")] == [1, 1, 0]
    assert [len(week.to(who, "leader_digest")) for who in ("hr", "head", "boss")] == [1, 1, 0]


def test_a_second_before_there_is_nothing(week: World) -> None:
    week.now = FRIDAY - timedelta(seconds=1)
    compose(week)

    assert week.to("li", "employee_digest") == []


def test_a_round_that_stopped_half_way_goes_on_where_it_was(week: World) -> None:
    week.now = FRIDAY
    with week.store.begin() as tx:
        ctx = Context(tx, week.now, week.policy)
        assert digests.compose_next(ctx), "the first part"
    compose(week)
    week.now += timedelta(hours=3)
    compose(week)

    assert len(week.to("li", "employee_digest")) == 1
    with week.store.read() as tx:
        assert tx.digests.finished(W38) == {Kind.EMPLOYEE, Kind.SUPERVISOR, Kind.GROUP, Kind.LEADER}


def test_a_clock_that_jumps_back_and_forth_sends_nothing_twice(week: World) -> None:
    for hours in (0, -30, 1, -2, 60):
        week.now = FRIDAY + timedelta(hours=hours)
        compose(week)

    assert len(week.to("li", "employee_digest")) == 1


def test_two_workers_at_once_send_nothing_twice(week: World) -> None:
    week.now = FRIDAY

    def work() -> None:
        for _ in range(40):
            with week.store.begin() as tx:
                digests.compose_next(Context(tx, week.now, week.policy))

    with ThreadPoolExecutor(2) as workers:
        for done in [workers.submit(work), workers.submit(work)]:
            done.result()

    with week.store.read() as tx:
        assert tx.digests.finished(W38) == {Kind.EMPLOYEE, Kind.SUPERVISOR, Kind.GROUP, Kind.LEADER}
        assert len(tx.ledger.of([week.ids["li"]], W38)[week.ids["li"]]) == 1
    assert [len(week.to(who, "employee_digest")) for who in ("li", "sun")] == [1, 1]


def test_the_total_is_what_stands_in_the_ledger(week: World) -> None:
    week.now = FRIDAY
    compose(week)
    shown = digest_of(week, "li")
    with week.store.read() as tx:
        rows = tx.ledger.of([week.ids["li"]], W38)[week.ids["li"]]

    assert shown.total == Money(184_000, 184_000)
    assert sum(row.amount.low_fen for row in rows) == 184_000
    assert [deed.figure.amount.low_fen if deed.figure else None for deed in shown.deeds] == [184_000, None]
    assert (shown.praise, shown.improve, shown.improved) == (1, 1, 1)


def test_praise_of_the_library_is_nobodys_number(week: World) -> None:
    week.now = FRIDAY
    compose(week)

    assert digest_of(week, "sun").total is None, "少一次 stands in the library's wording, nobody has said it"


def test_a_sentence_with_a_number_counts_for_its_subject(week: World) -> None:
    week.say("boss", "@孙悦 今天上午10点的退货来电先核对订单再给换货方案，少寄回3次退货")
    week.deliver()
    week.press("boss", week.to("boss", "sentence_card")[0], "send:praise")
    week.now = FRIDAY
    compose(week)

    shown = digest_of(week, "sun")
    assert shown.total == Money(24_000, 24_000)


def test_what_is_withdrawn_after_friday_is_put_right_in_the_next_week_and_friday_stays(week: World) -> None:
    week.now = FRIDAY
    compose(week)
    before = digest_of(week, "li")
    with week.store.begin() as tx:  # the HRBP finds that it never was an improvement
        tx.feedback.apply(replace(tx.feedback.get(before.deeds[0].record or 0), state=State.DISPUTED))
    week.now = FRIDAY + timedelta(days=7)
    compose(week)

    after = digest_of(week, "li")
    assert (after.total, after.corrected) == (Money(-184_000, -184_000), Money(-184_000, -184_000))
    with week.store.read() as tx:
        assert tx.ledger.sum([week.ids["li"]], W38) == before.total
        assert tx.ledger.sum([week.ids["li"]], W39) == after.total


def test_a_rate_corrected_later_changes_next_week_not_this_one(week: World) -> None:
    week.now = FRIDAY
    compose(week)
    corrected = replace(RETURN, low_fen=7000, high_fen=7000)
    week.policy = replace(OURS, digests=replace(OURS.digests, rates=(corrected,)))
    week.now = FRIDAY + timedelta(days=7)
    compose(week)

    assert digest_of(week, "li").corrected == Money(-23_000, -23_000)


def test_a_counted_event_counts_before_what_is_said_and_only_once(week: World) -> None:
    event = {"key": "return-4711", "person": "sun", "rate": "return", "at": "2026-09-14T16:00:00+08:00"}
    assert take_in(week, event) == Taken(1, 0)
    assert take_in(week, event) == Taken(0, 1), "the same event again"
    week.now = FRIDAY
    compose(week)

    shown = digest_of(week, "sun")
    assert shown.total == Money(8000, 8000)
    assert [deed.figure.grade for deed in shown.deeds if deed.figure] == [Grade.MEASURED]


def test_events_with_one_overlap_are_one_achievement_whoever_claims_it(week: World) -> None:
    common = {"rate": "return", "at": "2026-09-14T16:00:00+08:00", "overlap": "order-77"}
    assert take_in(week, {"key": "crm-1", "person": "sun"} | common, {"key": "erp-1", "person": "li"} | common) == Taken(2, 0)
    week.now = FRIDAY
    compose(week)

    assert digest_of(week, "sun").total == Money(8000, 8000), "hers was told of first"
    assert digest_of(week, "li").total == Money(184_000, 184_000)


def test_all_events_of_a_record_count_and_not_what_is_said_besides(week: World) -> None:
    week.now = FRIDAY
    compose(week)
    record = next(deed.record for deed in digest_of(week, "li").deeds if deed.improved)
    week.now = FRIDAY + timedelta(days=3)
    events = [{"key": f"return-{n}", "person": "li", "rate": "return", "at": "2026-09-16 10:00", "record": record} for n in (1, 2, 3)]
    assert take_in(week, *events) == Taken(3, 0)
    week.now = FRIDAY + timedelta(days=7)
    compose(week)

    assert digest_of(week, "li").total == Money(3 * 8000 - 184_000, 3 * 8000 - 184_000), "23 were said, 3 were counted"


def test_an_event_that_is_told_of_weeks_later_stands_in_the_next_digest(week: World) -> None:
    week.now = FRIDAY
    compose(week)
    week.now = FRIDAY + timedelta(days=25)
    take_in(week, {"key": "late", "person": "sun", "rate": "return", "at": "2026-09-16 10:00", "count": "2.5"})
    week.now = at("2026-10-16 17:00")
    compose(week)

    assert digest_of(week, "sun").total == Money(20_000, 20_000)


def test_many_events_of_one_kind_are_one_line_of_the_digest(week: World) -> None:
    take_in(week, *({"key": f"r{n}", "person": "sun", "rate": "return", "at": "2026-09-14 10:00"} for n in range(5)))
    week.now = FRIDAY
    compose(week)

    counted = next(deed for deed in digest_of(week, "sun").deeds if deed.figure)
    assert counted.figure is not None
    assert (counted.figure.count, counted.figure.amount, counted.figure.entry) == ("5", Money(40_000, 40_000), 0)


def test_a_company_is_counted_before_the_transaction_that_keeps_it(week: World) -> None:
    week.now = FRIDAY
    for _ in range(40):
        with week.store.read() as tx:
            keep = digests.read_ahead(Context(tx, week.now, week.policy))
        with week.store.begin() as tx:
            if not keep(Context(tx, week.now, week.policy)):
                break

    assert [len(week.to(who, "leader_digest")) for who in ("hr", "head", "boss")] == [1, 1, 0]
    assert len(week.to("boss", "supervisor_digest")) == 1


def test_what_was_composed_ahead_is_not_kept_when_another_process_was_faster(week: World) -> None:
    week.now = FRIDAY
    with week.store.begin() as tx:
        while (round := tx.digests.peek_round([(W38, kind) for kind in Kind])) and round.kind is not Kind.SUPERVISOR:
            tx.digests.next_round([(W38, round.kind)])
            tx.digests.finish(round, week.now)
    with week.store.read() as tx:
        late = digests.read_ahead(Context(tx, week.now, week.policy))
    compose(week)
    with week.store.begin() as tx:
        late(Context(tx, week.now, week.policy))

    assert len(week.to("boss", "supervisor_digest")) == 1


def test_a_count_stated_on_the_page_stands_in_the_next_digest(week: World) -> None:
    with week.store.begin() as tx:
        ctx, sun = Context(tx, week.now, week.policy), tx.people.get(week.ids["sun"])
        fact = next(f for f in tx.digests.facts([1, 2, 3]) if f.subject == sun.id)
        assert value.countable(ctx, fact) == RETURN
        assert value.state_count(ctx, tx.people.get(week.ids["li"]), fact.id, Decimal(2)) is Refusal.NO_SUCH_RECORD
        assert value.state_count(ctx, sun, fact.id, Decimal(2)) is None
        assert value.countable(ctx, fact) is None
    week.now = FRIDAY
    compose(week)

    assert digest_of(week, "sun").total == Money(16_000, 16_000)


def test_a_contested_figure_goes_to_the_hrbp_and_is_struck_in_the_open_week(week: World) -> None:
    week.now = FRIDAY
    compose(week)
    week.deliver()
    shown = digest_of(week, "li")
    entry = shown.deeds[0].figure.entry if shown.deeds[0].figure else 0
    card = week.press("li", week.to("li", "employee_digest")[0], f"contest:{entry}")
    week.press("li", week.to("li", "employee_digest")[0], f"contest:{entry}")
    week.deliver()

    assert card is not None
    assert "HRBP" in card.status
    (asked,) = week.to("hr", "contest_card")
    week.press("hr", asked, "strike")
    week.press("hr", asked, "uphold")
    assert week.shown is not None
    assert "划掉" in week.shown.status, "the first word counts"
    assert len(week.to("li", "contest_answer")) == 1
    with week.store.read() as tx:
        assert tx.ledger.sum([week.ids["li"]], W38) == Money(184_000, 184_000), "a published week stays"
        assert tx.ledger.sum([week.ids["li"]], W39) == Money(-184_000, -184_000)
    week.now = FRIDAY + timedelta(days=7)
    compose(week)
    assert digest_of(week, "li").corrected == Money(-184_000, -184_000)
    week.now += timedelta(days=7)
    compose(week)
    with week.store.read() as tx:
        assert tx.ledger.sum([week.ids["li"]], Week(2026, 40)) == Money(), "it does not come back"


def test_nobody_contests_anothers_figure(week: World) -> None:
    week.now = FRIDAY
    compose(week)
    shown = digest_of(week, "li")
    with week.store.begin() as tx:
        ctx = Context(tx, week.now, week.policy)
        entry = shown.deeds[0].figure.entry if shown.deeds[0].figure else 0
        assert value.contest_entry(ctx, tx.people.get(week.ids["sun"]), entry) is Refusal.NO_SUCH_RECORD
        assert value.contest_entry(ctx, tx.people.get(week.ids["li"]), 999) is Refusal.NO_SUCH_RECORD


def test_a_contest_that_nobody_settles_goes_up_the_line(world: World) -> None:
    week_ = world
    week_.policy = week_.dispatcher._policy = OURS
    with week_.store.begin() as tx:
        people = {p.key: p for p in tx.people.all().values()}
    assert people["hr"].supervisor == people["head"].id
    week_.now = at("2026-09-15 10:00")
    improve(week_, "李雷", "少寄回 23 次")
    week_.now = FRIDAY
    compose(week_)
    week_.deliver()
    shown = digest_of(week_, "li")
    week_.press("li", week_.to("li", "employee_digest")[0], f"contest:{shown.deeds[0].figure.entry if shown.deeds[0].figure else 0}")

    week_.forward(hours=71, minutes=59)
    assert week_.tick(value.advance_contest) == 0
    week_.forward(minutes=1)
    assert week_.tick(value.advance_contest) == 1
    assert week_.tick(value.advance_contest) == 0

    assert len(week_.to("head", "contest_card")) == 1


def test_the_supervisor_hears_what_came_of_his_week(week: World) -> None:
    week.now = FRIDAY
    compose(week)
    shown = SupervisorDigest.from_data(week.to("boss", "supervisor_digest")[0].data)

    assert (shown.total, shown.praise, shown.improved, shown.answered_in_a_day, shown.open) == (3, 2, 1, 1, 2)
    assert (shown.unmentioned, shown.owed, shown.given) == (("王磊",), 2, 3)


def test_the_group_reads_praise_and_totals_and_nobodys_improvement(week: World) -> None:
    with week.store.begin() as tx:
        tx.digests.name_in_groups(week.ids["sun"], wanted=False)
    week.now = FRIDAY
    compose(week)
    with week.store.read() as tx:
        message = tx.outbox.by_key(f"digest:group:{W38}:group:dingtalk:cid-1")
    assert message is not None
    shown = GroupDigest.from_data(message.data)

    assert (shown.praise, shown.improved, shown.total) == (2, 1, Money(184_000, 184_000))
    assert [one.name for one in shown.praised] == ["李雷"], "孙悦 does not want to be named"
    assert shown.more == 1
    assert "打断" not in str(message.data)


def test_hrbp_and_coo_hear_of_rates_escalations_and_quotas(week: World) -> None:
    week.now = FRIDAY
    compose(week)
    hrbp = LeaderDigest.from_data(week.to("hr", "leader_digest")[0].data)
    coo = LeaderDigest.from_data(week.to("head", "leader_digest")[0].data)

    assert (hrbp.given, hrbp.answered, hrbp.improved, hrbp.met, hrbp.supervisors) == (3, 1, 1, 1, 3)
    assert (coo.company, coo.people, coo.given) == (True, 8, 3)
    assert hrbp.hours is not None
    assert hrbp.hours < 1


def test_the_third_axis_is_what_a_quality_check_compared(week: World) -> None:
    week.policy = replace(OURS, digests=replace(OURS.digests, consistency=("answer_same", "answer_differs")))
    common = {"person": "sun", "at": "2026-09-14 10:00"}
    take_in(
        week,
        {"key": "qa-1", "rate": "answer_same", "count": 8} | common,
        {"key": "qa-2", "rate": "answer_differs", "count": 2, "overlap": "call-9"} | common,
        {"key": "qa-3", "rate": "answer_differs", "count": 2, "overlap": "call-9"} | common,
    )
    week.now = FRIDAY
    compose(week)

    for who in ("hr", "head"):
        shown = LeaderDigest.from_data(week.to(who, "leader_digest")[0].data)
        assert (shown.same, shown.compared) == (8, 10), "the same call is compared once"
    assert digest_of(week, "sun").total is None, "and it is worth no money"


def test_the_monday_brief_says_fridays_numbers(week: World) -> None:
    week.now = FRIDAY
    compose(week)
    week.now = MONDAY
    compose(week)
    brief = MondayBrief.from_data(week.to("li", "monday_brief")[0].data)
    friday = digest_of(week, "li")

    assert (brief.total, brief.deeds) == (friday.total, friday.deeds)
    assert week.to("wang1", "monday_brief") == []


def test_after_an_outage_over_the_weekend_the_brief_comes_from_the_records(week: World) -> None:
    week.now = MONDAY
    compose(week)

    assert week.to("li", "employee_digest") == [], "Friday is over"
    assert MondayBrief.from_data(week.to("li", "monday_brief")[0].data).total == Money(184_000, 184_000)


def test_thursday_nudges_only_those_behind_and_one_tap_brings_the_card(week: World) -> None:
    week.now = at("2026-09-17 15:00")
    compose(week)
    week.deliver()

    assert week.to("boss", "quota_nudge") == [], "three given, two owed"
    (nudge,) = week.to("other", "quota_nudge")
    shown = QuotaNudge.from_data(nudge.data)
    assert (shown.missing, [person.name for person in shown.people]) == (2, ["王磊"])
    week.press("other", nudge, f"checkin:{shown.people[0].person}")
    week.press("other", nudge, f"checkin:{shown.people[0].person}")
    assert len(week.to("other", "checkin_card")) == 1


def test_a_name_that_cannot_be_asked_any_more_is_told_by_name(world: World) -> None:
    world.policy = world.dispatcher._policy = OURS
    world.now = at("2026-09-17 15:00")
    compose(world)
    world.deliver()
    (nudge,) = world.to("boss", "quota_nudge")
    gone = QuotaNudge.from_data(nudge.data).people[1]
    with world.store.begin() as tx:
        tx.people.drop_accounts([account for account, person in tx.people.accounts().items() if person == gone.person], world.now)

    world.press("boss", nudge, f"checkin:{gone.person}")

    assert world.shown is not None
    assert gone.name in world.shown.status
    assert world.to("boss", "checkin_card") == []


def test_who_has_a_stand_in_is_not_nudged(week: World) -> None:
    week.say("other", "我请假到下周一，由王芳代")
    week.now = at("2026-09-17 15:00")
    compose(week)

    assert week.to("other", "quota_nudge") == []


def test_one_whose_data_cannot_be_composed_does_not_keep_the_others_from_theirs(week: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = digests._employee

    def broken(ctx: Context, week_: Week, window: object, facts: list[object], *rest: object) -> EmployeeDigest | None:
        if any(getattr(fact, "subject", 0) == week.ids["li"] for fact in facts):
            raise ValueError("broken")
        return whole(ctx, week_, window, facts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(digests, "_employee", broken)
    week.now = FRIDAY
    for _ in range(40):
        try:
            with week.store.begin() as tx:
                if not digests.compose_next(Context(tx, week.now, week.policy)):
                    break
        except ValueError:
            with week.store.begin() as tx:
                digests.skip_one(Context(tx, week.now, week.policy), timedelta(hours=1))

    assert len(week.to("sun", "employee_digest")) == 1
    assert week.to("li", "employee_digest") == []
    assert len(week.to("boss", "supervisor_digest")) == 1


def test_a_digest_is_sent_again_when_somebody_says_so(week: World) -> None:
    week.now = FRIDAY
    compose(week)
    with week.store.begin() as tx:
        ctx, li = Context(tx, week.now, week.policy), tx.people.get(week.ids["li"])
        assert digests.resend(ctx, li, W38, Kind.EMPLOYEE)
        assert not digests.resend(ctx, li, W37, Kind.EMPLOYEE)

    first, again = week.to("li", "employee_digest")
    assert first.data == again.data
    with week.store.read() as tx:
        assert tx.digests.of(whom(week.ids["li"]), W38, Kind.EMPLOYEE) is not None
