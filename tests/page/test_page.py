"""The page with the phones, used as a person uses it, against a real sandbox and a small real bot."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from playwright.sync_api import Locator, Page, expect
from werkzeug.wrappers import Response

from tests.page.audit import complaints
from tests.page.bot import OPTIONS, Bot, Heard, dingtalk_checkin, dingtalk_feedback
from tests.page.conftest import COMPANY, SMALL, WIDE, OpenPage, post, sandbox_process

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
BUDGET_BYTES = 60_000


def phone(page: Page, person: str) -> Locator:
    return page.locator(f".phone[data-person={person}]")


def writing(of: Locator) -> Locator:
    return of.locator(".write textarea")


def send_checkin(bot: Bot, platform: str, card: str) -> None:
    if platform == "dingtalk":
        bot.dingtalk_card("d-zhao", card, **dingtalk_checkin())
    else:
        bot.wecom_checkin("zhao.min", card)


def send_feedback(bot: Bot, platform: str, card: str) -> None:
    if platform == "dingtalk":
        bot.dingtalk_card("d-wang", card, **dingtalk_feedback())
    else:
        bot.wecom_feedback("wang.lei", card)


def turn_done(bot: Bot, heard: Heard) -> None:
    """The bot's answer to a tap, as an update of the card."""
    if heard.code:
        bot.wecom_grey(heard.userid, heard.code, "已提交")
    else:
        bot.dingtalk_turn(heard.card, form_status="disabled", form_btn_text="已提交", has_buttons="false", status="已提交 14:25")


@pytest.mark.parametrize("platform", ["dingtalk", "wecom"])
def test_two_taps_reach_the_bot_and_the_card_turns_into_its_done_state(open_page: OpenPage, bot: Bot, platform: str) -> None:
    send_checkin(bot, platform, "two-taps")
    bot.on_tap = lambda heard: turn_done(bot, heard)
    card = phone(open_page(phones=f"{platform}:zhao"), "zhao").locator(".card")

    card.get_by_label(OPTIONS["missed"]).check()
    card.get_by_role("button", name="提交反馈").click()

    expect(card.get_by_text("已提交").first).to_be_visible()
    expect(card.get_by_role("button", name="提交反馈")).to_have_count(0)
    expect(card.get_by_label(OPTIONS["missed"])).to_be_disabled()
    assert [(tap.card, tap.ticks) for tap in bot.taps] == [("two-taps", ["missed"])]


@pytest.mark.parametrize("platform", ["dingtalk", "wecom"])
def test_a_pressed_button_turns_while_the_bot_thinks_and_only_wecom_greys_the_others(
    open_page: OpenPage, bot: Bot, platform: str
) -> None:
    send_feedback(bot, platform, "slow")
    answer = threading.Event()

    def think(_: Heard) -> None:
        answer.wait(1.5)

    bot.on_tap = think
    card = phone(open_page(phones=f"{platform}:wang"), "wang").locator(".card")

    card.get_by_role("button", name="收到").click()

    expect(card.locator(".busy")).to_have_count(1)
    expect(card.get_by_role("button", name="有异议")).to_be_enabled(enabled=platform == "dingtalk")
    answer.set()
    expect(card.locator(".busy")).to_have_count(0)


@pytest.mark.parametrize("platform", ["dingtalk", "wecom"])
def test_a_bot_that_fails_shows_as_a_failed_press_that_can_be_repeated(open_page: OpenPage, bot: Bot, platform: str) -> None:
    send_feedback(bot, platform, "fails")
    bot.on_tap = lambda _: Response(status=500)
    on = phone(open_page(phones=f"{platform}:wang"), "wang")

    on.get_by_role("button", name="收到").click()

    expect(on.locator(".toast.shown")).to_have_text("操作失败,请重试", timeout=20_000)
    expect(on.get_by_role("button", name="收到")).to_be_enabled()
    expect(on.locator(".told.bad")).to_contain_text("机器人没有收下点按")


def test_a_wecom_card_stays_grey_until_the_bot_updates_it(open_page: OpenPage, bot: Bot) -> None:
    send_feedback(bot, "wecom", "grey")
    card = phone(open_page(phones="wecom:wang"), "wang").locator(".card")

    card.get_by_role("button", name="收到").click()
    expect(card.locator(".busy")).to_have_count(0)
    expect(card.get_by_role("button", name="收到")).to_be_disabled()
    bot.wecom_grey("wang.lei", bot.taps[0].code, "已收到")

    expect(card.locator(".card-state")).to_have_text("已收到")
    expect(card.get_by_role("button")).to_have_count(0)


def test_a_required_form_is_not_sent_empty(open_page: OpenPage, bot: Bot) -> None:
    send_checkin(bot, "dingtalk", "empty-form")
    send_checkin(bot, "wecom", "empty-vote")
    page = open_page(phones="dingtalk:zhao,wecom:zhao")

    page.locator("[data-platform=dingtalk]").get_by_role("button", name="提交反馈").click()

    expect(page.locator("[data-platform=wecom]").get_by_role("button", name="提交反馈")).to_be_disabled()
    expect(page.locator("[data-platform=dingtalk] .toast.shown")).to_be_visible()
    assert bot.taps == []


def test_a_new_message_is_there_at_once_and_unread_until_somebody_looks(open_page: OpenPage, bot: Bot) -> None:
    page = open_page()
    chen = phone(page, "chen")
    expect(chen.get_by_text("还没有消息")).to_be_visible()

    bot.wecom_text("chen.jing", "王磊的反馈还没有回应")

    expect(chen.locator(".bubble")).to_have_text("王磊的反馈还没有回应", timeout=1_000)
    expect(chen.locator(".caption .badge")).to_contain_text("1")
    expect(page).to_have_title("(1) 三秒 · 沙箱")
    chen.locator(".messages").hover()
    expect(chen.locator(".caption .badge")).to_have_count(0)
    expect(page).to_have_title("三秒 · 沙箱")


def test_a_message_in_another_chat_rings_and_a_tap_on_it_opens_that_chat(open_page: OpenPage, bot: Bot) -> None:
    on = phone(open_page(), "li")

    bot.dingtalk_group_text("cidPageLive==", "今天 2 次好的促单")
    on.locator(".banner").click()

    expect(on.locator(".header h2")).to_contain_text("直播一组")
    expect(on.locator(".bubble")).to_have_text("今天 2 次好的促单")
    on.get_by_role("button", name="返回消息列表").click()
    expect(on.locator(".chats")).to_contain_text("今天 2 次好的促单")
    expect(on.locator(".chats .badge")).to_have_count(0)


def test_enter_sends_but_not_while_a_chinese_word_is_being_chosen(open_page: OpenPage, bot: Bot) -> None:
    on = phone(open_page(), "zhao")
    text = writing(on)

    text.fill("反馈")
    text.evaluate(
        "box => box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    expect(text).to_have_value("反馈")
    text.press("Shift+Enter")
    text.type("李小萌 😀")
    text.press("Enter")

    expect(on.locator(".mine .bubble")).to_have_text("反馈\n李小萌 😀")
    expect(text).to_have_value("")
    expect(on.locator(".told")).to_contain_text("应答")
    assert [said["text"]["content"].strip() for said in bot.said] == ["反馈\n李小萌 😀"]


def test_a_hint_comes_from_who_reports_to_whom(open_page: OpenPage, bot: Bot) -> None:
    page = open_page()

    phone(page, "zhao").get_by_role("button", name="反馈 王磊").click()

    expect(phone(page, "zhao").locator(".mine .bubble")).to_have_text("反馈 王磊")
    expect(phone(page, "li").locator(".hints button")).to_have_text(["帮助"])


def test_in_a_group_the_bot_hears_what_mentions_it(open_page: OpenPage, bot: Bot) -> None:
    on = phone(open_page(), "zhao")
    on.get_by_role("button", name="返回消息列表").click()
    on.get_by_role("button", name=re.compile("直播一组")).click()

    on.get_by_role("button", name="@三秒").click()
    writing(on).type("李小萌刚才促单很好")
    writing(on).press("Enter")

    expect(on.locator(".mine .bubble")).to_contain_text("@三秒 李小萌刚才促单很好")
    expect(on.locator(".told")).to_contain_text("应答")
    assert len(bot.said) == 1


def test_a_wecom_group_says_that_the_bot_cannot_hear_it(open_page: OpenPage, bot: Bot) -> None:
    on = phone(open_page(), "chen")
    on.get_by_role("button", name="返回消息列表").click()
    on.get_by_role("button", name=re.compile("华东区")).click()

    expect(writing(on)).to_have_attribute("placeholder", "发消息(企业微信群里三秒听不到)")
    expect(on.locator(".hints")).to_have_count(0)
    writing(on).fill("大家好")
    writing(on).press("Enter")
    expect(on.locator(".told:not(.bad)")).to_have_text("机器人听不到群里没有 @ 它的话")


def test_a_picture_is_sent_shown_and_enlarged(open_page: OpenPage, bot: Bot) -> None:
    page = open_page()
    on = phone(page, "wang")

    on.locator("input[type=file]").set_input_files({"name": "截图.png", "mimeType": "image/png", "buffer": PIXEL})
    shot = on.locator(".mine .picture")
    expect(shot).to_be_visible()
    assert shot.locator("img").evaluate("img => img.decode().then(() => img.naturalWidth)") == 1
    shot.click()

    expect(page.locator("dialog.large img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    assert [said["MsgType"] for said in bot.said] == ["image"]


def test_what_people_and_bots_write_never_becomes_markup(open_page: OpenPage, bot: Bot) -> None:
    evil = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>"
    bot.dingtalk_message("d-li", "sampleText", content=evil)
    bot.dingtalk_message("d-li", "sampleMarkdown", title="x", text=f"**{evil}** [点我](javascript:window.hacked=1)")
    bot.dingtalk_card("d-li", "evil", **(dingtalk_feedback() | {"title": evil, "body": evil}))
    page = open_page()
    on = phone(page, "li")

    on.get_by_role("button", name="点我").click()

    expect(on.locator(".toast.shown")).to_have_text("这个链接只能在真机上打开")
    expect(on.locator(".bubble").first).to_have_text(evil)
    expect(on.locator(".card-title")).to_have_text(evil)
    assert page.evaluate("window.hacked") is None


def test_markdown_is_drawn_as_each_platform_draws_it(open_page: OpenPage, bot: Bot) -> None:
    text = "### 本周\n> 引用\n\n- 促成 **7 次**改进\n\n第一行\n第二行  \n第三行"
    bot.dingtalk_message("d-li", "sampleMarkdown", title="x", text=text)
    bot.wecom_markdown("chen.jing", text.replace("**7 次**", '<font color="info">7 次</font>'))
    page = open_page()

    expect(phone(page, "li").get_by_role("heading", name="本周")).to_be_visible()
    expect(phone(page, "li").locator("li strong")).to_have_text("7 次")
    expect(phone(page, "li").locator(".markdown p").last).to_have_text(re.compile("第一行 第二行\n?第三行"))
    expect(phone(page, "chen").locator("li .info")).to_have_text("7 次")
    assert phone(page, "chen").locator(".markdown p").last.locator("br").count() == 2


def test_a_link_opens_in_the_browser_of_that_person(open_page: OpenPage, bot: Bot) -> None:
    wrapped = "dingtalk://dingtalkclient/page/link?url=http%3A%2F%2F127.0.0.1%3A9%2Fweek%3Fa%3D1"
    bot.dingtalk_message("d-li", "sampleActionCard", title="周报", text="少寄回 **23 次**", singleTitle="看明细", singleURL=wrapped)
    link = phone(open_page(), "li").get_by_role("link", name="看明细")

    target = urlsplit(link.get_attribute("href") or "")

    assert target.path == "/sandbox/open"
    assert parse_qs(target.query) == {"person": ["li"], "platform": ["dingtalk"], "url": ["http://127.0.0.1:9/week?a=1"]}
    expect(link).to_have_attribute("rel", "noopener")


def test_the_clock_moves_stops_and_is_set(open_page: OpenPage) -> None:
    page = open_page()
    face = page.locator(".now")
    expect(face).to_contain_text("9月11日 周五")

    page.get_by_role("button", name="让时间停住").click()
    page.get_by_role("button", name="+24 小时").click()
    expect(face).to_contain_text("9月12日 周六14:2")
    page.get_by_role("button", name="+1 小时").click()
    expect(face).to_contain_text("15:2")
    face.click()
    page.get_by_label("北京时间").fill("2026-09-18T17:05")
    page.get_by_role("button", name="设定", exact=True).click()

    expect(face).to_contain_text("9月18日 周五17:05")
    expect(face).to_contain_text("已冻结")
    expect(page.locator(".status-bar time").first).to_have_text("17:05")


def test_the_clock_jumps_to_what_the_bot_has_due_next(open_page: OpenPage, bot: Bot) -> None:
    page = open_page()
    jump = page.get_by_role("button", name="到下一个到期点")

    jump.click()
    expect(page.locator("#notice")).to_have_text("没有等着到期的事")
    bot.next_due = "2026-09-14T06:23:00Z"
    jump.click()

    expect(page.locator(".now")).to_contain_text("9月14日 周一14:23")


def test_times_in_a_chat_follow_the_clock(open_page: OpenPage, bot: Bot, sandbox: str) -> None:
    bot.wecom_text("chen.jing", "周五的消息")
    line = phone(open_page(), "chen").locator(".line time")
    expect(line).to_have_text("14:23")

    post(sandbox, "clock", {"advance_seconds": 86_400})

    expect(line).to_have_text("昨天 14:23")


def test_one_person_on_both_platforms_is_one_person_and_switches(open_page: OpenPage, bot: Bot) -> None:
    page = open_page()
    bot.wecom_text("zhao.min", "企业微信上的消息")
    platforms = phone(page, "zhao").get_by_role("group", name="平台")
    expect(platforms.locator(".dot")).to_be_visible()

    platforms.get_by_role("button", name="企微").click()

    expect(phone(page, "zhao")).to_have_attribute("data-platform", "wecom")
    expect(phone(page, "zhao").locator(".bubble")).to_have_text("企业微信上的消息")


def test_anybody_can_be_put_on_a_phone_and_the_address_keeps_it(open_page: OpenPage) -> None:
    page = open_page()

    page.get_by_role("button", name="陈静,换一个人").click()
    page.get_by_label("找人").fill("欧阳")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("企业微信")).click()
    page.get_by_role("button", name="收起王磊的手机").click()
    page.get_by_role("button", name="再摆一部手机").click()
    page.get_by_role("dialog").get_by_role("button", name="王磊,钉钉").click()
    expect(page.locator(".phone")).to_have_count(4)
    page.reload()

    expect(page.locator(".phone")).to_have_count(4)
    shown = page.locator(".phone").evaluate_all("all => all.map(each => `${each.dataset.platform}:${each.dataset.person}`)")
    assert shown == ["dingtalk:zhao", "dingtalk:li", "wecom:ouyang", "dingtalk:wang"]


def test_a_hundred_messages_open_at_the_end_and_do_not_pull_a_reader_down(open_page: OpenPage, bot: Bot, sandbox: str) -> None:
    requests.put(f"{sandbox}/sandbox/quotas", json={"dingtalk_qps": 1000}, timeout=10).raise_for_status()
    for number in range(100):
        bot.dingtalk_message("d-li", "sampleText", content=f"第 {number} 条 " + "很长的话" * (number % 9))
    on = phone(open_page(), "li")
    expect(on.locator(".bubble").last).to_be_in_viewport()

    on.locator(".messages").evaluate("list => list.scrollTo(0, 300)")
    place = on.locator(".messages").evaluate("list => list.scrollTop")
    bot.dingtalk_message("d-li", "sampleText", content="最新的一条")
    expect(on.locator(".more")).to_have_text("1 条新消息")
    assert on.locator(".messages").evaluate("list => list.scrollTop") == place
    on.locator(".more").click()

    expect(on.locator(".bubble").last).to_be_in_viewport()
    expect(on.locator(".more")).to_be_hidden()


def test_a_card_is_filled_and_sent_with_the_keyboard_alone(open_page: OpenPage, bot: Bot) -> None:
    send_checkin(bot, "wecom", "keyboard")
    page = open_page(phones="wecom:zhao")
    expect(phone(page, "zhao").locator(".card")).to_be_visible()

    phone(page, "zhao").locator(".messages").focus()
    for key in ("Tab", "Space", "Tab", "Tab", "Tab"):
        page.keyboard.press(key)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")

    expect(phone(page, "zhao").locator(".told")).to_contain_text("应答")
    assert [tap.ticks for tap in bot.taps] == [["cue"]]


def test_a_lost_sandbox_is_announced_and_what_was_being_written_stays(open_page: OpenPage, sandbox: str, tmp_path: Path) -> None:
    with sandbox_process(tmp_path) as url:
        port = int(url.rsplit(":", 1)[1])
        page = open_page()
        with page.expect_response(lambda answer: "/changes" in answer.url):  # every phone has been loaded by then
            page.goto(url)
        writing(phone(page, "zhao")).fill("写到一半")
    expect(page.locator("#lost")).to_have_text("沙箱没有应答,正在重新连接…")

    with sandbox_process(tmp_path, port):
        expect(page.locator("#lost")).to_be_hidden(timeout=10_000)
        expect(writing(phone(page, "zhao"))).to_have_value("写到一半")
        writing(phone(page, "zhao")).press("Enter")
        expect(phone(page, "zhao").locator(".mine .bubble")).to_have_text("写到一半")


def test_a_sandbox_that_fails_while_it_is_stopped_does_not_take_away_what_was_being_written(open_page: OpenPage, sandbox: str) -> None:
    page = open_page()
    expect(page.locator("#lost")).to_be_hidden()
    writing(phone(page, "zhao")).fill("写到一半")

    page.route("**/sandbox/changes**", lambda route: route.fulfill(status=500, json={"detail": "being stopped"}))
    post(sandbox, "clock", {"advance_seconds": 60})  # ends the wait of the feed, so that it asks again
    expect(page.locator("#lost")).to_be_visible()
    page.unroute("**/sandbox/changes**")

    expect(page.locator("#lost")).to_be_hidden(timeout=10_000)
    expect(writing(phone(page, "zhao"))).to_have_value("写到一半")


def test_after_a_reset_the_phones_are_empty(open_page: OpenPage, bot: Bot, sandbox: str) -> None:
    bot.wecom_text("chen.jing", "gone soon")
    page = open_page()
    expect(phone(page, "chen").locator(".bubble")).to_have_count(1)

    post(sandbox, "reset")

    expect(phone(page, "chen").get_by_text("还没有消息")).to_be_visible()


def test_backstage_shows_what_went_on_and_lets_things_go_wrong(open_page: OpenPage, bot: Bot) -> None:
    bot.wecom_text("chen.jing", "一条消息")
    page = open_page()

    page.get_by_role("button", name="幕后", exact=True).click()
    entry = page.locator(".entry", has_text="message/send").first
    entry.locator("summary").click()
    expect(entry).to_contain_text("一条消息")
    expect(page.locator(".backstage")).not_to_contain_text("wecom-secret-of-the-page-tests")
    page.get_by_role("tab", name="用量").click()
    expect(page.locator(".pane")).to_contain_text("/ 5000")
    page.get_by_role("tab", name="疑点").click()
    expect(page.locator(".pane .entry").first).to_be_visible()
    page.get_by_role("tab", name="故障").click()
    page.get_by_role("button", name="下一次推送送两遍").click()
    expect(page.locator(".active-faults li")).to_have_count(2)
    page.get_by_role("button", name="关掉 wecom:callback duplicate_delivery").click()
    expect(page.locator(".active-faults li")).to_have_count(1)
    for switch in page.locator(".switches button").all():
        switch.click()
        expect(page.locator("#notice")).to_have_text(f"已安排:{switch.inner_text()}")
    page.keyboard.press("Escape")

    expect(page.locator(".backstage")).to_be_hidden()
    expect(page.get_by_role("button", name="幕后", exact=True)).to_be_focused()


def test_a_small_screen_shows_one_phone_and_a_strip_of_people(open_page: OpenPage, bot: Bot) -> None:
    page = open_page(SMALL)
    expect(page.locator(".phone")).to_have_count(1)

    bot.wecom_feedback("wang.lei", "small")
    wang = page.get_by_role("button", name=re.compile("王磊,场控"))
    expect(wang.locator(".badge")).to_contain_text("1")
    wang.tap()

    expect(phone(page, "wang").get_by_role("button", name="收到")).to_be_in_viewport()
    expect(wang.locator(".badge")).to_have_count(0)
    page.reload()
    expect(phone(page, "wang")).to_be_visible()
    assert complaints(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_named_and_hit(open_page: OpenPage, bot: Bot, scheme: str) -> None:
    send_checkin(bot, "dingtalk", "audit-1")
    send_checkin(bot, "wecom", "audit-2")
    send_feedback(bot, "wecom", "audit-3")
    bot.dingtalk_card("d-li", "audit-4", **(dingtalk_feedback() | {"status": "已收到 14:25"}))
    bot.wecom_markdown(
        "chen.jing", '> 引用\n<font color="warning">警告</font> <font color="comment">备注</font> [链接](http://127.0.0.1:9/)'
    )
    bot.wecom_text("ou.yang", "https://example.com 长长的链接")
    page = open_page(WIDE, "dingtalk:zhao,wecom:wang,dingtalk:li,wecom:chen", scheme)
    page.get_by_role("button", name="幕后", exact=True).click()
    expect(page.locator(".entry").first).to_be_visible()
    assert complaints(page) == []

    for pane in ("用量", "故障", "疑点"):
        page.get_by_role("tab", name=pane).click()
        expect(page.locator(".pane > .faint")).to_have_count(1 if pane == "疑点" else 0)
        assert complaints(page) == []
    phone(page, "li").get_by_role("button", name="返回消息列表").click()
    phone(page, "chen").locator(".owner").click()
    assert complaints(page) == []


def test_the_page_asks_nobody_but_the_sandbox(open_page: OpenPage, bot: Bot, sandbox: str) -> None:
    bot.dingtalk_message("d-li", "sampleMarkdown", title="x", text="![图](https://example.com/tracker.png)")
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.reload()
    expect(phone(page, "li").locator(".no-picture")).to_be_visible()

    assert asked
    assert [url for url in asked if not url.startswith(sandbox)] == []


def test_a_first_look_at_the_page_transfers_60_kb_at_most(open_page: OpenPage) -> None:
    page = open_page()
    address = page.url
    page.goto("about:blank")  # so that nothing of the look before is counted
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    transferred: list[float] = []
    session.on("Network.loadingFinished", lambda event: transferred.append(event["encodedDataLength"]))

    page.goto(address)
    expect(phone(page, "chen").get_by_text("还没有消息")).to_be_visible()

    assert sum(transferred) < BUDGET_BYTES


def test_the_company_file_names_the_four_phones_that_stand_there_first(open_page: OpenPage) -> None:
    page = open_page()

    names = page.locator(".phone .owner b").all_inner_texts()

    assert names == ["赵敏", "李小萌", "王磊", "陈静"]
    assert COMPANY.exists()
