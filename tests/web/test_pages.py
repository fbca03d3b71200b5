"""What stands on the pages, and what their forms do."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from rules.evidence import Wanted
from rules.feedback import Answer, Kind, State
from rules.people import Entry
from tests.builders import NOON, SHANGHAI, a_draft
from tests.cards.examples import HOSTILE
from tests.web.site import Browser, Company, hidden

ComeIn = Callable[[str], Browser]

GOOD = {
    "kind": "improve",
    "when": "2026-09-14T10:05",
    "scene": "上午那通退货来电",
    "action": "没有告诉客户几天到账就挂了电话",
    "impact": "客户次日又来电催问了两次",
}


def a_png() -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(out, "PNG")
    out.seek(0)
    return out


def write(browser: Browser, **fields: object) -> str:
    """Submit the form about E011; the page that comes, or where it leads."""
    subject = str(browser.company.people["E011"].id)
    done = browser.submit("/write", "/write", **({"subject": subject} | GOOD | fields))
    return done.location or done.text


def test_without_a_session_every_page_leads_to_the_login(company: Company) -> None:
    browser = Browser(company)

    for path in ("/me", "/open", "/team", "/write", "/records/1"):
        assert browser.get(path).location == f"/login?next={path}"
    for path in ("/write", "/records/1/answer", "/records/1/pictures"):
        assert browser.post(path, word="x").location == "/login?next=/me"


def test_a_form_without_the_word_of_its_session_does_nothing(company: Company, come_in: ComeIn) -> None:
    record, browser = company.given("E010", "E011"), come_in("E011")

    for word in ("", "made up", str(hidden(come_in("E011").get("/open").text)["word"])):
        refused = browser.post(f"/records/{record.id}/answer", word=word, answer="acknowledged")
        assert refused.status_code == 400
        assert "没有提交" in refused.text

    assert company.record(record.id).state is State.OPEN


# ── answering ─────────────────────────────────────────────────────────────────────────────────────────────


def test_what_waits_for_me_stands_on_my_page_until_i_answer(company: Company, come_in: ComeIn) -> None:
    record, browser = company.given("E010", "E011", now=NOON - timedelta(hours=30)), come_in("E011")
    page = browser.get("/open").text
    assert "王芳写给你" in page
    assert "等了 30 小时" in page

    done = browser.submit("/open", f"/records/{record.id}/answer", answer="acknowledged")

    assert done.location == "/open?done=1"
    assert "都回应过了" in browser.get("/open").text
    assert company.record(record.id).state is State.ACKNOWLEDGED
    assert company.history(record.id) == ["given", "answered"]


def test_an_answer_with_a_word_and_a_picture_is_on_the_record(company: Company, come_in: ComeIn) -> None:
    record, browser = company.given("E010", "E011"), come_in("E011")
    path = f"/records/{record.id}"

    browser.submit(path, f"{path}/answer", answer="improved", words="已把话术改成先报时效", picture=(a_png(), "a.png"))

    page = browser.get(path)
    assert "已把话术改成先报时效" in page.text
    assert 'alt="截图 1，点开看大图"' in page.text
    thumbnail = re.search(r'<img src="([^"]+)"', page.text)
    assert thumbnail is not None
    assert browser.get(thumbnail[1]).content_type == "image/jpeg"
    assert company.history(record.id) == ["given", "answered", "explained", "picture_stored"]


def test_the_same_answer_twice_is_one_answer_and_another_one_later_is_told_why_not(company: Company, come_in: ComeIn) -> None:
    record, browser = company.given("E010", "E011"), come_in("E011")
    for _ in range(2):
        done = browser.submit("/me", f"/records/{record.id}/answer", answer="disputed")
        assert done.status_code == 303

    other = browser.submit("/me", f"/records/{record.id}/answer", answer="acknowledged")

    assert "已经有回应了" in other.text
    assert company.history(record.id) == ["given", "answered"]


@pytest.mark.parametrize("answer", Answer)
def test_nobody_answers_for_another(company: Company, come_in: ComeIn, answer: Answer) -> None:
    record = company.given("E010", "E011")

    for key in ("E010", "E012", "E003", "E004"):
        done = come_in(key).submit("/me", f"/records/{record.id}/answer", answer=answer.value)
        assert done.status_code in (404, 422)

    assert company.record(record.id).state is State.OPEN


def test_an_answer_that_does_not_exist_is_refused(company: Company, come_in: ComeIn) -> None:
    record = company.given("E010", "E011")

    assert come_in("E011").submit("/me", f"/records/{record.id}/answer", answer="closed").status_code == 400
    assert come_in("E011").submit("/me", "/records/999/answer", answer="improved").status_code == 404


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_whole_form_becomes_a_record_and_its_subject_is_told(company: Company, come_in: ComeIn) -> None:
    location = write(come_in("E010"))

    assert location == "/records/1?done=1"
    record = company.record(1)
    assert (record.state, record.kind, record.subject) == (State.OPEN, Kind.IMPROVE, company.people["E011"].id)
    assert record.scene == "上午那通退货来电（9月14日）"
    assert (record.action, record.impact) == (GOOD["action"], GOOD["impact"])
    with company.store.read() as tx:
        told = [message for message in tx.outbox.about("feedback:1") if message.card == "feedback_card"]
        assert [message.person for message in told] == [company.people["E011"].id]
        assert tx.loops.get(1) is not None


@pytest.mark.parametrize(
    ("scene", "stored", "day"),
    [
        ("张女士的退货来电", "张女士的退货来电（9月14日 10:05）", 14),
        ("上午那通退货来电", "上午那通退货来电（9月14日）", 14),
        ("昨天下午的投诉工单", "昨天下午的投诉工单（9月13日）", 13),
        ("9月11日晚班盘点", "9月11日晚班盘点", 11),
    ],
)
def test_a_scene_keeps_its_day_and_a_day_it_names_goes_before_the_field(
    company: Company, come_in: ComeIn, scene: str, stored: str, day: int
) -> None:
    write(come_in("E010"), scene=scene)

    record = company.record(1)
    assert record.scene == stored
    assert record.occurred_at.astimezone(SHANGHAI).day == day


def test_a_double_submit_is_one_record(company: Company, come_in: ComeIn) -> None:
    browser = come_in("E010")
    fields = hidden(browser.get("/write").text) | GOOD | {"subject": str(company.people["E011"].id)}

    places = [browser.post("/write", **fields).location for _ in range(2)]

    assert places == ["/records/1?done=1"] * 2
    with company.store.read() as tx:
        assert tx.feedback.counts() == {"open": 1}


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"subject": ""}, "who", "选一下写给谁"),
        ({"kind": ""}, "kind", "选一下是肯定还是改进"),
        ({"when": ""}, "when", "填一个已经过去的时间"),
        ({"when": "2026-09-15T10:00"}, "when", "填一个已经过去的时间"),
        ({"scene": ""}, "scene", "是哪一次？"),
        ({"action": "态度不认真"}, "action", "当时做了什么？"),
        ({"impact": "影响恶劣"}, "impact", "带来了什么结果？"),
        ({"action": "打" * 601}, "too_long", "最多 600 个字"),
    ],
)
def test_what_is_missing_is_said_next_to_its_field_and_what_was_typed_stays(
    company: Company, come_in: ComeIn, wrong: dict[str, str], field: str, sentence: str
) -> None:
    page = write(come_in("E010"), **wrong)

    assert f'id="lack-{field}"' in page
    assert sentence in page
    assert str((GOOD | wrong)["scene"]) in page
    with company.store.read() as tx:
        assert tx.feedback.counts() == {}


def test_after_a_correction_the_same_form_gives_one_record(company: Company, come_in: ComeIn) -> None:
    browser = come_in("E010")
    page = write(browser, impact="影响恶劣")

    fields = hidden(page) | GOOD | {"subject": str(company.people["E011"].id)}
    key = re.search(r'name="key" value="(\w+)"', page)
    assert key is not None

    assert browser.post("/write", **(fields | {"key": key[1]})).location == "/records/1?done=1"


def test_what_the_gate_turns_back_may_be_kept_as_a_note_that_nobody_else_sees_or_counts(company: Company, come_in: ComeIn) -> None:
    browser, vague = come_in("E010"), {"action": "态度不认真", "impact": ""}
    assert "仍要记下" in write(browser, **vague)

    location = write(browser, **vague, keep="1", picture=(a_png(), "a.png"))

    assert location == "/records/1?done=1"
    page = browser.get(location).text
    assert "备注，只有你看得到" in page
    assert "态度不认真" in page
    assert 'alt="截图 1' in page
    record = company.record(1)
    assert (record.state, record.given_at, record.impact) == (State.NOTE, None, "")
    assert company.history(1) == ["picture_stored", "noted"]
    with company.store.read() as tx:
        assert tx.outbox.about("feedback:1") == ()
        assert tx.loops.get(1) is None
    for other in ("E011", "E001", "E003"):
        assert come_in(other).get("/records/1").status_code == 404


def test_ones_notes_stand_in_ones_own_week_also_those_of_the_chat_and_in_nobody_elses(company: Company, come_in: ComeIn) -> None:
    write(come_in("E010"), action="态度不认真", keep="1")
    with company.store.begin() as tx:
        id = tx.feedback.open_draft(a_draft(company.people["E010"].id, company.people["E012"].id, NOON))
        tx.history.note(f"feedback:{id}", "written", NOON, by=company.people["E010"].id, words="孙悦态度认真、潜力突出")
        tx.feedback.apply(replace(tx.feedback.get(id), state=State.NOTE, closed_at=NOON))
    browser = come_in("E010")

    page = browser.get("/me").text

    assert "关于刘洋" in page
    assert "关于孙悦" in page
    assert "没读出具体的事" in page
    assert "孙悦态度认真、潜力突出" in browser.get(f"/records/{id}").text
    assert "备注" not in browser.get("/me", back="1").text
    for other in ("E012", "E001"):
        assert "备注" not in come_in(other).get("/me").text
        assert come_in(other).get(f"/records/{id}").status_code == 404


def test_a_note_asks_for_what_the_gate_does_not_judge_and_for_some_words(company: Company, come_in: ComeIn) -> None:
    browser, empty = come_in("E010"), {"scene": "", "action": "", "impact": ""}

    for wrong, field in (({"subject": ""}, "who"), ({"when": ""}, "when"), ({"action": "打" * 601}, "too_long"), (empty, "scene")):
        page = write(browser, **({"impact": "影响恶劣"} | wrong), keep="1")
        assert f'id="lack-{field}"' in page
        assert "仍要记下" not in page

    assert "不在你带的团队里" in write(browser, subject=str(company.people["E021"].id), impact="影响恶劣", keep="1")
    with company.store.read() as tx:
        assert tx.feedback.counts() == {}


def test_a_note_kept_twice_is_one_and_a_company_may_want_none(company: Company, come_in: ComeIn) -> None:
    browser = come_in("E010")
    fields = hidden(browser.get("/write").text) | GOOD | {"subject": str(company.people["E011"].id), "impact": "影响恶劣"}
    assert {browser.post("/write", **fields, keep="1").location for _ in range(2)} == {"/records/1?done=1"}

    company.dispatcher._policy = company.policy = replace(company.policy, insist=False)

    assert "仍要记下" not in write(browser, impact="影响恶劣", keep="1")
    write(browser, keep="1")
    with company.store.read() as tx:
        assert tx.feedback.counts() == {"note": 1}


def test_a_picture_comes_with_the_record_and_a_bad_one_stops_it(company: Company, come_in: ComeIn) -> None:
    browser = come_in("E010")

    page = write(browser, picture=(io.BytesIO(b"no picture"), "a.png"))
    assert 'id="lack-picture"' in page
    assert write(browser, picture=(a_png(), "a.png")) == "/records/1?done=1"

    with company.store.read() as tx:
        assert len(tx.evidence.of(1)) == 1
        card = next(message for message in tx.outbox.about("feedback:1") if message.card == "feedback_card")
        assert card.data["attached"]["pictures"] == 1


@pytest.mark.parametrize(
    ("wanted", "kept", "story"),
    [
        (Wanted.REQUIRED, 1, ["picture_stored", "given"]),
        (Wanted.NONE, 0, ["picture_stored", "given"]),
    ],
)
def test_a_picture_on_the_form_meets_the_policy_of_its_kind(
    company: Company, come_in: ComeIn, wanted: Wanted, kept: int, story: list[str]
) -> None:
    rules = replace(company.policy.evidence, wanted=dict.fromkeys(Kind, wanted))
    company.dispatcher._policy = company.policy = replace(company.policy, evidence=rules)

    write(come_in("E010"), picture=(a_png(), "a.png"))

    with company.store.read() as tx:
        assert len(tx.evidence.of(1)) == kept
    assert company.history(1) == story


def test_a_required_picture_that_is_not_there_is_asked_for_on_the_record(company: Company, come_in: ComeIn) -> None:
    rules = replace(company.policy.evidence, wanted=dict.fromkeys(Kind, Wanted.REQUIRED))
    company.dispatcher._policy = company.policy = replace(company.policy, evidence=rules)
    browser = come_in("E010")

    write(browser)

    page = browser.get("/records/1").text
    assert "还差一张截图" in page
    assert "再附一张截图" in page


def test_what_comes_twice_at_once_is_done_once(company: Company, come_in: ComeIn) -> None:
    path, first = company.link("E010"), come_in("E010")
    fields = hidden(first.get("/write").text) | GOOD | {"subject": str(company.people["E011"].id)}
    session = first.client.get_cookie("sanmiao", domain="bot.example")
    assert session is not None

    def submit(browser: Browser) -> str:
        browser.client.set_cookie("sanmiao", session.value, domain="bot.example", secure=True)
        return browser.post("/write", **fields).location

    def enter(browser: Browser) -> int:
        return browser.submit(path, path).status_code

    # Made one after the other: CPython 3.11's parser, which routes are compiled with, fails now and then in two threads at once.
    browsers = [Browser(company) for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        places, entered = list(pool.map(submit, browsers[:4])), list(pool.map(enter, browsers[4:]))

    assert set(places) == {"/records/1?done=1"}
    assert sorted(entered)[0] == 303
    assert entered.count(303) == 1
    with company.store.read() as tx:
        assert tx.feedback.counts() == {"open": 1}


def test_a_file_that_is_too_large_is_told_and_changes_nothing(company: Company, come_in: ComeIn) -> None:
    page = write(come_in("E010"), picture=(io.BytesIO(b"x" * 200_001), "a.png"))
    assert 'id="lack-picture"' in page

    refused = come_in("E010").submit("/write", "/write", picture=(io.BytesIO(b"x" * 300_000), "a.png"))

    assert refused.status_code == 413
    assert "图片太大" in refused.text


def test_feedback_goes_to_ones_own_people_only(company: Company, come_in: ComeIn) -> None:
    other_team = str(company.people["E021"].id)

    assert "不在你带的团队里" in write(come_in("E010"), subject=other_team)
    assert come_in("E012").get("/write").status_code == 403
    assert "给带团队的人看的" in come_in("E012").get("/write").text
    with company.store.read() as tx:
        assert tx.feedback.counts() == {}


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────


def test_my_week_shows_what_i_got_and_what_i_gave(company: Company, come_in: ComeIn) -> None:
    company.given("E010", "E011", Kind.PRAISE)
    company.given("E001", "E010")

    assert "王芳写给你" in come_in("E011").get("/me").text
    page = come_in("E010").get("/me").text
    assert "周岚写给你" in page
    assert "给刘洋" in page


def test_last_week_is_a_tap_away_and_this_one_can_be_empty(company: Company, come_in: ComeIn) -> None:
    company.given("E010", "E011", now=NOON - timedelta(days=7))
    browser = come_in("E011")

    assert "还没有人给你写反馈" in browser.get("/me").text
    assert "王芳写给你" in browser.get("/me", back="1").text
    for odd in ("-1", "x", "99999999", "²"):
        assert browser.get("/me", back=odd).status_code == 200


def test_the_team_page_says_who_waits_who_answered_and_who_was_not_mentioned(company: Company, come_in: ComeIn) -> None:
    answered = company.given("E010", "E011")
    come_in("E011").submit("/me", f"/records/{answered.id}/answer", answer="improved")
    company.given("E010", "E011", now=NOON - timedelta(days=3))

    page = come_in("E010").get("/team").text

    waiting, rest = page.split("<h2>这周回应了的</h2>")
    done, silent = rest.split("<h2>这周没提到的人</h2>")
    assert "等了 3 天" in waiting
    assert "已改进" in done
    assert "孙悦" in silent
    assert "高远" not in page, "who left is in no team"


def test_an_hrbp_sees_those_he_is_in_charge_of_and_others_no_team_at_all(company: Company, come_in: ComeIn) -> None:
    company.given("E010", "E011")

    assert "你负责的人" in come_in("E003").get("/team").text
    assert "刘洋" in come_in("E003").get("/team").text
    assert "刘洋" not in come_in("E004").get("/team").text
    assert come_in("E012").get("/team").status_code == 403


def test_namesakes_are_told_apart(company: Company, come_in: ComeIn) -> None:
    with company.store.begin() as tx:
        tx.people.put([Entry("E013", "刘洋", "客服二部", (), position="客服专员", supervisor="E010", hrbp="E003")], NOON)

    page = come_in("E010").get("/write").text

    assert "刘洋（客服二部 客服专员）" in page
    assert "刘洋（客服部）" in page


def test_the_subject_does_not_read_what_the_author_wrote_over(company: Company, come_in: ComeIn) -> None:
    record = company.given("E010", "E011")
    with company.store.begin() as tx:
        tx.history.note(f"feedback:{record.id}", "written", NOON, by=record.author, words="原来的草稿")
        tx.history.note(f"feedback:{record.id}", "edited", NOON, by=record.author, reason="impact", words="原来的影响")

    theirs, own = (come_in(key).get(f"/records/{record.id}").text for key in ("E011", "E010"))

    assert "改了内容：影响" in theirs
    assert "原来的" not in theirs
    assert "原来的草稿" in own
    assert "原来的影响" in own


def test_every_line_that_handlers_write_into_a_history_has_its_words() -> None:
    root = Path(__file__).parents[2]
    source = "".join(path.read_text("utf-8") for path in (root / "handlers").glob("*.py"))
    noted = set(re.findall(r'history\.note\([^"\n]*"(\w+)"', source)) | {
        "remind",
        "escalate",
        "taken_over",
        "extended",
        "kind",
        "dropped",
    }
    words = (root / "web" / "templates" / "_words.html").read_text("utf-8")

    assert {what for what in noted if f'"{what}":' not in words} == set()


@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_that_people_type_becomes_markup(company: Company, come_in: ComeIn, kind: str) -> None:
    text = HOSTILE[kind].replace("\x00", "").encode(errors="ignore").decode()
    with company.store.begin() as tx:
        tx.people.put([Entry("E012", text[:100] or "x", "客服部", (), supervisor="E010", hrbp="E003")], NOON)
    company.given("E010", "E012")
    with company.store.begin() as tx:
        tx.history.note("feedback:1", "added", NOON, by=company.people["E010"].id, words=text)
    browser = come_in("E010")

    for path in ("/me", "/team", "/write", "/records/1"):
        page = browser.get(path)
        assert page.status_code == 200
        assert "<script" not in page.text
        assert "<img" not in page.text
        assert "\u202e" not in re.sub(r"<q.*?</q>", "", page.text)


def test_a_time_stands_beside_the_scene_only_where_a_card_took_it(company: Company, come_in: ComeIn) -> None:
    said = company.given("E010", "E011")
    with company.store.begin() as tx:
        ticked = tx.feedback.open_draft(a_draft(company.people["E010"].id, company.people["E011"].id))
        tx.feedback.apply(replace(tx.feedback.get(ticked), state=State.OPEN, kind=Kind.PRAISE, given_at=NOON))

    assert "<dt>时间</dt>" not in come_in("E011").get(f"/records/{said.id}").text
    assert "<dt>时间</dt><dd>9月14日 12:00</dd>" in come_in("E011").get(f"/records/{ticked}").text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.dictionaries(st.sampled_from([*GOOD, "subject", "key", "words", "answer"]), st.text(max_size=80), max_size=9))
def test_no_text_in_any_field_breaks_a_form(company: Company, fields: dict[str, str]) -> None:
    browser = Browser(company)
    browser.enter("E010")
    text = {name: value.encode(errors="ignore").decode() for name, value in fields.items()}

    for path in ("/write", "/records/1/answer", "/records/1/pictures"):
        assert browser.submit("/me", path, **text).status_code in (303, 400, 404, 422)


def test_every_page_is_light_private_and_asks_nobody_else(company: Company, come_in: ComeIn) -> None:
    for _ in range(20):
        company.given("E010", "E011")
    style = (Path(__file__).parents[2] / "web" / "static" / "sanmiao.css").read_bytes()
    browser = come_in("E010")

    for path in ("/me", "/open", "/team", "/write", "/records/1"):
        page = browser.get(path)
        assert len(page.data) + len(style) < 60_000
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "<script" not in page.text
        assert "style=" not in page.text
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//(?!bot\.example)', page.text)
