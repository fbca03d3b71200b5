"""message/send and its neighbours: what WeCom takes, cuts, refuses and drops."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.conftest import AGENT, CONTACTS_SECRET, CORP, SECRET, Json, Room, WecomBot, WecomClient, buttons, vote


def text(content: str = "你好", *, to: str = "wang.min", **more: object) -> Json:
    return {"touser": to, "agentid": AGENT, "msgtype": "text", "text": {"content": content}, **more}


def test_a_token_stays_the_same_for_two_hours_and_is_then_refused(room: Room) -> None:
    token = room.wecom_token()
    assert room.wecom_token() == token

    room.post("/clock", {"freeze": True})
    room.post("/clock", {"advance_seconds": 7201})

    assert room.wecom("user/get", token=token, userid="wang.min")["errcode"] == 42001
    assert room.wecom_token() != token


@pytest.mark.parametrize(("token", "errcode"), [("", 41001), ("invented", 40014)])
def test_a_missing_and_an_invented_token_have_codes_of_their_own(room: Room, token: str, errcode: int) -> None:
    answer = room.wecom("message/send", text(), token=token)

    assert answer["errcode"] == errcode
    assert "from ip: 127.0.0.1" in answer["errmsg"]


def test_a_wrong_secret_is_40001(room: Room) -> None:
    answer = room.session.get(f"{room.base}/cgi-bin/gettoken", params={"corpid": CORP, "corpsecret": "wrong"}, timeout=5).json()

    assert answer["errcode"] == 40001


def test_recipients_that_cannot_be_reached_are_named_in_lower_case(room: Room) -> None:
    answer = room.wecom("message/send", text(to="wang.min|No.Body|QIAN.jin|sun.li"))

    assert (answer["errcode"], answer["invaliduser"]) == (0, "no.body|qian.jin|sun.li")
    assert answer["msgid"]
    assert "response_code" not in answer


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"touser": "no.body"}, 81013),
        ({"touser": ""}, 82001),
        ({"touser": "|".join(f"u{n}" for n in range(1001))}, 40032),
        ({"touser": "", "toparty": "|".join(str(n) for n in range(101))}, 82002),
        ({"touser": "", "totag": "|".join(str(n) for n in range(101))}, 82003),
        ({"agentid": 1}, 301002),
        ({"agentid": None}, 41011),
        ({"agentid": "x"}, 40056),
        ({"msgtype": "card"}, 40008),
        ({"text": {"content": ""}}, 44004),
        ({"enable_duplicate_check": 1, "duplicate_check_interval": 14401}, 40058),
        ({"msgtype": "textcard", "textcard": {"title": "t", "description": "d", "url": "example.com"}}, 40058),
        ({"msgtype": "textcard", "textcard": {"title": "", "description": "d", "url": "http://x/"}}, 41016),
        ({"msgtype": "news", "news": {"articles": [{"title": "t", "url": "http://x"}] * 9}}, 45008),
        ({"msgtype": "image", "image": {"media_id": "invented"}}, 40007),
        ({"msgtype": "image", "image": {"media_id": ""}}, 41006),
        ({"msgtype": "markdown", "markdown": {"content": "字" * 700}}, 45002),
    ],
)
def test_a_wrong_request_has_the_code_of_the_error_table(room: Room, changes: Json, errcode: int) -> None:
    body = {name: value for name, value in (text() | changes).items() if value is not None}

    assert room.wecom("message/send", body)["errcode"] == errcode
    assert room.messages("E001") == []


def test_everybody_and_departments_can_be_addressed(room: Room) -> None:
    assert room.wecom("message/send", text(to="@all"))["errcode"] == 0
    assert room.wecom("message/send", text("部门", to="", toparty="2"))["errcode"] == 0

    assert [len(room.messages(person)) for person in ("E000", "E001", "E002")] == [1, 2, 2]


def test_text_is_cut_at_2048_bytes_between_two_characters(room: Room) -> None:
    room.wecom("message/send", text("字" * 700))

    assert room.messages("E001")[0]["text"] == "字" * 682
    assert any("cut to 2048 bytes" in warning["text"] for warning in room.get("/warnings")["warnings"])


def test_unicode_escapes_in_the_body_are_refused(room: Room) -> None:
    body = json.dumps(text("你好"), ensure_ascii=True).encode()

    answer = room.session.post(
        f"{room.base}/cgi-bin/message/send", params={"access_token": room.wecom_token()}, data=body, timeout=5
    ).json()

    assert answer["errcode"] == 40033


def test_the_thirty_first_message_of_a_minute_vanishes_without_a_word(room: Room) -> None:
    token = room.wecom_token()

    answers = [room.wecom("message/send", text(f"第{n}条"), token=token) for n in range(32)]

    assert {answer["errcode"] for answer in answers} == {0}
    assert len(room.messages("E001")) == 30
    assert room.get("/meters")["wecom"]["silent_drops"] == {"wang.min": 2}


def test_an_equal_request_is_shown_once_inside_its_interval(room: Room, wecom_bot: WecomBot) -> None:
    checked: Json = {"enable_duplicate_check": 1, "duplicate_check_interval": 600}

    first = room.send(vote(), **checked)
    second = room.send(vote(), **checked)

    assert (second["errcode"], second["msgid"]) == (0, first["msgid"])
    assert "response_code" not in second
    assert len(room.messages("E001")) == 1
    room.post("/clock", {"advance_seconds": 600})
    assert room.send(vote(), **checked)["errcode"] == 40058  # not a duplicate any more: its task_id was used


def test_a_task_id_serves_once_for_ever(room: Room, wecom_bot: WecomBot) -> None:
    room.send(vote("same"))
    room.post("/clock", {"advance_seconds": 400 * 86400})

    answer = room.send(buttons("same"))

    assert answer["errcode"] == 40058
    assert "task_id was used before" in answer["errmsg"]


def test_a_card_with_callbacks_needs_a_callback_url(room: Room) -> None:
    notice = {"card_type": "text_notice", "main_title": {"title": "t"}, "card_action": {"type": 1, "url": "http://x/"}}

    assert room.send(vote())["errcode"] == 40058
    assert room.send(notice)["errcode"] == 0


def test_only_cards_with_callbacks_get_a_response_code(room: Room, wecom_bot: WecomBot) -> None:
    notice = {"card_type": "text_notice", "main_title": {"title": "t"}, "card_action": {"type": 1, "url": "http://x/"}}
    menu = {"action_menu": {"action_list": [{"text": "不再提醒", "key": "mute"}]}, "task_id": "menu-1"}

    assert "response_code" not in room.send(notice)
    assert room.send(notice | menu)["response_code"]
    assert room.tap("menu-1", "E001", menu="mute")["outcome"]["delivered"]
    assert wecom_bot.events[-1]["Event"] == "template_card_menu_event"


def test_a_message_is_recalled_within_a_day(room: Room) -> None:
    sent = room.wecom("message/send", text())
    old = room.wecom("message/send", text("旧"))

    assert room.wecom("message/recall", {"msgid": sent["msgid"]})["errcode"] == 0
    room.post("/clock", {"advance_seconds": 86401})
    assert room.wecom("message/recall", {"msgid": old["msgid"]})["errcode"] == 40058

    assert [(message["recalled"], message["text"]) for message in room.messages("E001")] == [(True, ""), (False, "旧")]


PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def test_media_live_for_three_days_and_then_answer_json_with_200(room: Room, wechatpy_client: WecomClient) -> None:
    media_id = wechatpy_client.media.upload("image", ("a.png", PNG, "image/png"))["media_id"]
    assert room.wecom("message/send", text() | {"msgtype": "image", "image": {"media_id": media_id}})["errcode"] == 0
    shown = room.messages("E001")[-1]
    address, query = f"{room.base}/cgi-bin/media/get", {"access_token": room.wecom_token(), "media_id": media_id}

    found = room.session.get(address, params=query, timeout=5)

    assert (found.content, found.headers["Content-Type"]) == (PNG, "image/png")
    assert room.session.get(f"{room.base}/sandbox/media/{shown['content']['media']}", timeout=5).content == PNG
    room.post("/clock", {"advance_seconds": 3 * 86400})
    gone = room.session.get(address, params=query | {"access_token": room.wecom_token()}, timeout=5)
    assert (gone.status_code, gone.json()["errcode"]) == (200, 40007)


@pytest.mark.parametrize(
    ("kind", "content", "errcode"), [("image", b"12345", 44001), ("image", b"no picture", 40005), ("card", PNG, 40004)]
)
def test_what_is_no_such_media_is_refused(room: Room, kind: str, content: bytes, errcode: int) -> None:
    query = {"access_token": room.wecom_token(), "type": kind}

    answer = room.session.post(f"{room.base}/cgi-bin/media/upload", params=query, files={"media": ("a.png", content)}, timeout=5).json()

    assert answer["errcode"] == errcode


def test_a_group_of_the_app_takes_text_and_no_card(room: Room, wechatpy_client: WecomClient) -> None:
    chat_id = wechatpy_client.appchat.create("chat1", "客服", "wang.min", ["wang.min", "li.lei"])["chatid"]
    wechatpy_client.appchat.send(chat_id, "text", content="大家好")

    card = {"chatid": chat_id, "msgtype": "template_card", "template_card": vote()}
    assert room.wecom("appchat/send", card)["errcode"] == 40008
    assert [m["text"] for m in room.get("/chats/group-chat1/messages", person="E002")["messages"]] == ["大家好"]
    assert room.wecom("appchat/get", chatid=chat_id)["chat_info"]["userlist"] == ["wang.min", "Li.Lei"]
    assert room.wecom("appchat/create", {"name": "n", "userlist": ["wang.min"]})["errcode"] == 86006
    assert room.wecom("appchat/get", chatid="unknown")["errcode"] == 86003
    room.switch("wecom.range_is_root", False)
    assert room.wecom("appchat/send", {"chatid": chat_id, "msgtype": "text", "text": {"content": "x"}})["errcode"] == 60011


def test_an_address_outside_the_trusted_list_is_refused_everywhere(room: Room) -> None:
    room.switch("wecom.ip_is_trusted", False)

    assert room.wecom("message/send", text())["errcode"] == 60020
    assert room.wecom("department/list")["errcode"] == 60020


def test_the_directory_shows_the_visible_range_without_sensitive_fields(room: Room, wechatpy_client: WecomClient) -> None:
    user = wechatpy_client.user.get("Wang.Min")

    assert (user["userid"], user["direct_leader"], user["is_leader_in_dept"]) == ("wang.min", ["zhou.lan"], [1])
    assert not {"mobile", "email", "avatar"} & user.keys()
    assert [each["id"] for each in wechatpy_client.department.get()] == [1, 2, 3]
    assert [each["userid"] for each in room.wecom("user/list", department_id=3)["userlist"]] == ["Li.Lei"]
    assert room.wecom("user/get", userid="qian.jin")["errcode"] == 60111
    assert room.wecom("user/list", department_id=9)["errcode"] == 60003
    assert [each["id"] for each in room.wecom("department/simplelist", id=2)["department_id"]] == [2, 3]


def test_ids_of_everybody_are_for_the_contacts_secret_which_reads_no_users(room: Room) -> None:
    first = room.wecom("user/list_id", {"limit": 2}, secret=CONTACTS_SECRET)
    rest = room.wecom("user/list_id", {"limit": 2, "cursor": first["next_cursor"]}, secret=CONTACTS_SECRET)

    assert [each["userid"] for each in first["dept_user"] + rest["dept_user"]] == ["zhou.lan", "wang.min", "Li.Lei", "qian.jin"]
    assert rest["next_cursor"] == ""
    assert room.wecom("user/list_id", {"limit": 2}, secret=SECRET)["errcode"] == 48002
    assert room.wecom("user/get", secret=CONTACTS_SECRET, userid="wang.min")["errcode"] == 48002
    assert room.wecom("message/send", text(), secret=CONTACTS_SECRET)["errcode"] == 48002


def test_a_login_code_serves_once_and_for_five_minutes(room: Room) -> None:
    def code() -> str:
        query = {
            "appid": CORP,
            "redirect_uri": "http://127.0.0.1:9/back?a=1",
            "response_type": "code",
            "scope": "snsapi_base",
            "state": "s1",
        }
        answer = room.session.get(
            f"{room.base}/connect/oauth2/authorize", params=query | {"sandbox_person": "E004"}, allow_redirects=False, timeout=5
        )
        assert answer.headers["Location"].startswith("http://127.0.0.1:9/back?a=1&code=")
        return answer.headers["Location"].partition("code=")[2].partition("&")[0]

    first, late = code(), code()

    assert room.wecom("auth/getuserinfo", code=first)["userid"] == "qian.jin"  # outside the visible range all the same
    assert room.wecom("auth/getuserinfo", code=first)["errcode"] == 40029
    room.post("/clock", {"advance_seconds": 301})
    assert room.wecom("auth/getuserinfo", code=late)["errcode"] == 42003


def test_the_login_page_asks_who_it_is_unless_a_phone_opened_it(room: Room) -> None:
    query = {"appid": CORP, "redirect_uri": "http://127.0.0.1:9/back", "response_type": "code", "scope": "snsapi_base", "state": ""}
    address = f"{room.base}/connect/oauth2/authorize"
    assert "以谁的身份打开" in room.session.get(address, params=query, timeout=5).text

    opened = {"person": "E001", "platform": "wecom", "url": "http://127.0.0.1:9/page"}
    assert room.session.get(f"{room.base}/sandbox/open", params=opened, allow_redirects=False, timeout=5).status_code == 302

    assert room.session.get(address, params=query, allow_redirects=False, timeout=5).status_code == 302
    assert room.session.get(address, params=query | {"state": "a&b"}, timeout=5).status_code == 400
    room.switch("wecom.trusted_domain", "bot.example.com:443")
    assert room.session.get(address, params=query, timeout=5).status_code == 400
