"""What an author does on a record's page to what he gave: reword it, take it back, add to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from rules.events import Account, Platform
from rules.feedback import Record, State
from rules.forms import LONGEST
from tests.builders import NOON
from tests.web.site import Browser, Company, hidden

ComeIn = Callable[[str], Browser]
FORMS = ("edit", "withdraw", "words")


def texts(record: Record, **other: str) -> dict[str, str]:
    return {"scene": record.scene, "action": record.action, "impact": record.impact} | other


def arrive(company: Company, record: Record) -> None:
    """The feedback reaches its subject's chat now."""
    with company.store.begin() as tx:
        while (message := tx.outbox.next_due(company.now)) is not None:
            tx.outbox.claim(message, "test", 30)
            tx.outbox.draw(message, Account(Platform.DINGTALK, "somebody"), {"repeatable": True})
            tx.outbox.mark_sent(message, "test", f"id-{message.id}", None, company.now)


def told(company: Company, record: Record) -> str:
    """What stands on the subject's card."""
    with company.store.read() as tx:
        cards = tx.outbox.about(f"feedback:{record.id}")
    return str([message.data for message in cards if message.card == "feedback_card"])


def test_an_author_rewords_a_record_and_his_subjects_card_follows(company: Company, come_in: ComeIn) -> None:
    record, browser = company.given("E010", "E011"), come_in("E010")
    path = f"/records/{record.id}"

    done = browser.submit(path, f"{path}/edit", **texts(record, action="挂电话前没说几天到账"))

    assert done.location == f"{path}?done=edited"
    assert "改好了" in browser.get(done.location).text
    after = company.record(record.id)
    assert (after.scene, after.action, after.impact) == (record.scene, "挂电话前没说几天到账", record.impact)
    assert "挂电话前没说几天到账" in told(company, record)
    assert company.history(record.id) == ["given", "edited"]


def test_an_author_takes_a_record_back_and_its_clock_ends(company: Company, come_in: ComeIn) -> None:
    record, browser = company.given("E010", "E011"), come_in("E010")
    path = f"/records/{record.id}"

    done = browser.submit(path, f"{path}/withdraw")

    page = browser.get(done.location).text
    assert "撤回了，那边也同步了" in page
    assert not any(f"{path}/{form}" in page for form in FORMS)
    assert company.record(record.id).state is State.WITHDRAWN
    assert come_in("E011").get(path).status_code == 404
    with company.store.read() as tx:
        loop = tx.loops.get(record.id)
        assert loop is not None
        assert loop.due_at is None


def test_an_author_adds_a_sentence_which_his_subject_reads(company: Company, come_in: ComeIn) -> None:
    record, browser = company.given("E010", "E011"), come_in("E010")
    path = f"/records/{record.id}"

    done = browser.submit(path, f"{path}/words", addition="客户周三又来感谢了一次")

    assert "补上了" in browser.get(done.location).text
    assert "客户周三又来感谢了一次" in come_in("E011").get(path).text
    assert company.record(record.id).action == record.action


@pytest.mark.parametrize("form", FORMS)
def test_a_double_submit_has_one_effect(company: Company, come_in: ComeIn, form: str) -> None:
    record, browser = company.given("E010", "E011"), come_in("E010")
    path = f"/records/{record.id}"
    fields = hidden(browser.get(path).text) | texts(record, impact="客户次日催了三次") | {"addition": "再说一句"}

    places = [browser.post(f"{path}/{form}", **fields).status_code for _ in range(2)]

    assert places == [303, 303]
    assert len(company.history(record.id)) == 2


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("key", "status"), [("E011", 422), ("E003", 422), ("E012", 404), ("E020", 404)])
def test_nobody_but_the_author_sees_or_uses_the_forms(company: Company, come_in: ComeIn, form: str, key: str, status: int) -> None:
    record, browser = company.given("E010", "E011"), come_in(key)
    path = f"/records/{record.id}"
    assert f"{path}/{form}" not in browser.get(path).text

    done = browser.submit("/me", f"{path}/{form}", **texts(record, action="别的"), addition="别的")

    assert done.status_code == status
    assert ("只有写的人能改" in done.text) == (status == 422)
    assert company.record(record.id) == record
    assert company.history(record.id) == ["given"]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_without_the_word_of_its_session_changes_nothing(company: Company, come_in: ComeIn, form: str) -> None:
    record = company.given("E010", "E011")

    done = come_in("E010").post(f"/records/{record.id}/{form}", word="made up", addition="别的", **texts(record, action="别的"))

    assert done.status_code == 400
    assert company.history(record.id) == ["given"]


def test_the_window_ends_ten_minutes_after_the_subject_got_it_and_what_was_typed_can_still_be_added(
    company: Company, come_in: ComeIn
) -> None:
    record, browser = company.given("E010", "E011"), come_in("E010")
    path = f"/records/{record.id}"
    arrive(company, record)
    company.now = NOON + timedelta(minutes=10)
    assert f"{path}/edit" in browser.get(path).text

    company.now += timedelta(seconds=1)
    edited = browser.submit(path, f"{path}/edit", **texts(record, action="挂电话前没说几天到账"))
    withdrawn = browser.submit(path, f"{path}/withdraw")

    for refused in (edited, withdrawn):
        assert refused.status_code == 422
        assert "发出有一阵了" in refused.text
        assert f"{path}/edit" not in refused.text
        assert f"{path}/words" in refused.text
    assert "挂电话前没说几天到账" in edited.text
    assert company.history(record.id) == ["given"]


@pytest.mark.parametrize(
    ("state", "sentence", "may_add"),
    [
        (State.ACKNOWLEDGED, "对方已经回应了", True),
        (State.DISPUTED, "对方已经回应了", True),
        (State.CLOSED, "已经关闭", False),
        (State.WITHDRAWN, "已经撤回", False),
    ],
)
def test_what_is_answered_or_ended_keeps_its_words(
    company: Company, come_in: ComeIn, state: State, sentence: str, may_add: bool
) -> None:
    record, browser = company.given("E010", "E011"), come_in("E010")
    path = f"/records/{record.id}"
    company.change(record.id, state)

    refused = browser.submit(path, f"{path}/edit", word=hidden(browser.get("/me").text)["word"], **texts(record, action="别的"))

    assert refused.status_code == 422
    assert sentence in refused.text
    assert (f"{path}/words" in refused.text) == may_add
    assert company.record(record.id).action == record.action


@pytest.mark.parametrize(
    ("form", "fields", "sentence"),
    [
        ("edit", {"scene": "  "}, "场景不能空着"),
        ("edit", {"action": ""}, "动作不能空着"),
        ("edit", {"impact": ""}, "影响不能空着"),
        ("edit", {"action": "打" * (LONGEST + 1)}, f"一栏最多 {LONGEST} 个字"),
        ("edit", {"action": "态度不够认真"}, "这样写看不出当时做了什么"),
        ("edit", {"impact": "影响非常恶劣"}, "这样写看不出带来了什么结果"),
        ("words", {"addition": " "}, "还没写呢"),
        ("words", {"addition": "打" * (LONGEST + 1)}, f"一栏最多 {LONGEST} 个字"),
    ],
)
def test_what_is_missing_or_too_long_is_said_in_one_sentence(
    company: Company, come_in: ComeIn, form: str, fields: dict[str, str], sentence: str
) -> None:
    record, browser = company.given("E010", "E011"), come_in("E010")
    path = f"/records/{record.id}"

    refused = browser.submit(path, f"{path}/{form}", **(texts(record) | fields))

    assert refused.status_code == 422
    assert re.findall(r'role="alert">([^<]*)<', refused.text)[0].startswith(sentence)
    assert company.history(record.id) == ["given"]
