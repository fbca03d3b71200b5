"""What the robot sends and receives besides cards: messages, files, recall, webhooks, HTTP mode; directory and logins."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox import cipher
from sandbox.dingtalk.sign import robot_sign
from tests.sandbox.conftest import CLIENT_ID, CLIENT_SECRET, ROBOT, Json, Listener, Room, Wire, wait_for

TO_USERS, TO_GROUP = "/v1.0/robot/oToMessages/batchSend", "/v1.0/robot/groupMessages/send"
GROUP = "cidGroup+One/=="
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def text(*users: str, **changes: Any) -> Json:
    return {"robotCode": ROBOT, "userIds": list(users), "msgKey": "sampleText", "msgParam": json.dumps({"content": "你好"}), **changes}


def test_users_who_cannot_be_reached_are_in_a_list_of_an_answer_with_200(room: Room) -> None:
    answer = room.dingtalk("POST", TO_USERS, text("0101", "nobody", "0105"))

    assert answer.status_code == 200
    assert (answer.json()["invalidStaffIdList"], answer.json()["flowControlledStaffIdList"]) == (["nobody", "0105"], [])
    assert room.messages("E001", "dingtalk")[0]["text"] == "你好"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"userIds": []}, "invalidParameter.userIds.empty"),
        ({"userIds": ["0101"] * 21}, "invalidParameter.userIds.overMax"),
        ({"robotCode": ""}, "invalidParameter.robotCode.empty"),
        ({"robotCode": "other"}, "invalidParameter.robotCode.notExsit"),
        ({"msgKey": ""}, "invalidParameter.msgKey.empty"),
        ({"msgKey": "sampleCard"}, "invalidParameter.msgKey.invalid"),
        ({"msgParam": {"content": "x"}}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": '{"content":1}'}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": "{}"}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": json.dumps({"content": "x" * 15000})}, "invalidParameter.msgParam.tooLong"),
        ({"msgKey": "sampleMarkdown", "msgParam": '{"text":"ohne Titel"}'}, "invalidParameter.msgParam.invalid"),
        (
            {"msgKey": "sampleActionCard2", "msgParam": '{"title":"t","text":"x","actionTitle1":"a"}'},
            "invalidParameter.msgParam.invalid",
        ),
    ],
)
def test_a_wrong_message_has_the_code_of_the_page(room: Room, changes: Json, code: str) -> None:
    answer = room.dingtalk("POST", TO_USERS, text("0101") | changes)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_an_action_card_shows_its_link_buttons(room: Room) -> None:
    param = {"title": "反馈", "text": "**两点**", "singleTitle": "打开", "singleURL": "http://127.0.0.1:1/form"}

    room.dingtalk("POST", TO_USERS, text("0101", msgKey="sampleActionCard", msgParam=json.dumps(param)))

    card = room.last_card("E001", "dingtalk")
    assert (card["title"], card["body_markdown"], card["card_id"], card["tappable"]) == ("反馈", "**两点**", None, False)
    assert (card["buttons"][0]["text"], card["buttons"][0]["url"]) == ("打开", "http://127.0.0.1:1/form")


def test_a_group_needs_the_robot_and_the_exact_id(room: Room) -> None:
    body = {"robotCode": ROBOT, "openConversationId": GROUP, "msgKey": "sampleText", "msgParam": '{"content":"大家好"}'}

    assert room.dingtalk("POST", TO_GROUP, body).json()["processQueryKey"]
    assert room.dingtalk("POST", TO_GROUP, body | {"openConversationId": GROUP.lower()}).json()["code"] == "invalid.openConversationId"
    assert room.dingtalk("POST", TO_GROUP, body | {"openConversationId": "cidGroupTwo=="}).json()["code"] == "resource.not.found"
    groups = room.dingtalk("POST", "/v1.0/robot/installed/groups/query", {"robotCode": ROBOT}).json()
    assert groups["openConversationIds"] == [GROUP]


def test_a_message_is_recalled_within_a_day_and_leaves_no_trace(room: Room) -> None:
    key = room.dingtalk("POST", TO_USERS, text("0101")).json()["processQueryKey"]
    recall = {"robotCode": ROBOT, "processQueryKeys": [key, "unknown"]}

    answer = room.dingtalk("POST", "/v1.0/robot/otoMessages/batchRecall", recall).json()

    assert answer["successResult"] == [key]
    assert list(answer["failedResult"]) == ["unknown"]
    assert room.messages("E001", "dingtalk")[0]["text"] == ""
    room.post("/clock", {"advance_seconds": 86401})
    late = room.dingtalk("POST", "/v1.0/robot/otoMessages/batchRecall", recall).json()
    assert list(late["failedResult"]) == [key, "unknown"]
    wrong_case = room.dingtalk("POST", "/v1.0/robot/oToMessages/batchRecall", recall)
    assert wrong_case.status_code == 404


def test_reading_is_known_by_query_and_told_by_event(room: Room, bare: Wire) -> None:
    bare.ack = lambda frame: {"code": 200, "message": "", "data": '{"status":"SUCCESS"}'}
    key = room.dingtalk("POST", TO_USERS, text("0101")).json()["processQueryKey"]
    status = "/v1.0/robot/oToMessages/readStatus"
    before = room.dingtalk("GET", status, robotCode=ROBOT, processQueryKey=key).json()["messageReadInfoList"]

    room.post("/chats/private-dingtalk-E001/open", {"person": "E001"})

    event = bare.next("EVENT")
    after = room.dingtalk("GET", status, robotCode=ROBOT, processQueryKey=key).json()["messageReadInfoList"]
    assert [each["readStatus"] for each in before + after] == ["UNREAD", "READ"]
    data = json.loads(event["data"])
    assert (event["headers"]["eventType"], data["processQueryKey"], data["userId"]) == ("robot_msg_read", key, "0101")


def send_picture(room: Room, chat: str, **changes: Any) -> Json:
    return room.post(f"/chats/{chat}/messages", {"person": "E001", "picture": base64.b64encode(PNG).decode(), **changes})


def test_a_picture_comes_as_a_code_and_is_fetched_without_a_token(room: Room, bare: Wire) -> None:
    send_picture(room, "private-dingtalk-E001")
    data = json.loads(bare.next()["data"])
    download = "/v1.0/robot/messageFiles/download"

    url = room.dingtalk("POST", download, {"downloadCode": data["content"]["downloadCode"], "robotCode": ROBOT}).json()["downloadUrl"]

    assert data["msgtype"] == "picture"
    assert urlsplit(url).path.endswith(".file")
    assert "Expires" in parse_qs(urlsplit(url).query)
    assert room.session.get(url, timeout=5).content == PNG
    assert room.session.get(url.replace("Signature=", "Signature=0"), timeout=5).status_code == 403
    broken = {"downloadCode": data["content"]["pictureDownloadCode"], "robotCode": ROBOT}
    assert room.dingtalk("POST", download, broken).status_code == 500
    wrong = room.dingtalk("POST", download, {"downloadCode": "x", "robotCode": ROBOT}).json()
    assert wrong["code"] == "invalidParameter.robotCode.downloadCode"
    room.post("/clock", {"advance_seconds": 3600})
    assert room.session.get(url, timeout=5).status_code == 403


def test_a_picture_in_a_group_comes_as_rich_text_and_a_file_not_at_all(room: Room, bare: Wire) -> None:
    assert send_picture(room, "group-g1", mention_bot=True)["outcome"]["delivered"]
    file = base64.b64encode(b"%PDF-1.7").decode()
    body = {"person": "E001", "picture": file, "file_name": "a.pdf", "mention_bot": True}
    assert not room.post("/chats/group-g1/messages", body)["outcome"]["delivered"]

    data = json.loads(bare.next()["data"])
    assert data["msgtype"] == "richText"
    assert data["content"]["richText"][1]["type"] == "picture"


def test_an_uploaded_picture_can_be_sent_and_seen(room: Room) -> None:
    address = f"{room.base}/media/upload"
    files = {"media": ("a.png", PNG, "image/png")}
    answer = room.session.post(
        address, params={"access_token": room.dingtalk_token()}, data={"type": "image"}, files=files, timeout=5
    ).json()

    room.dingtalk("POST", TO_USERS, text("0101", msgKey="sampleImageMsg", msgParam=json.dumps({"photoURL": answer["media_id"]})))

    shown = room.messages("E001", "dingtalk")[-1]
    assert answer["media_id"].startswith("@")
    assert shown["kind"] == "image"
    assert room.session.get(f"{room.base}/sandbox/media/{shown['content']['media']}", timeout=5).content == PNG


def test_a_session_webhook_ends_after_ninety_minutes_and_takes_no_cards(room: Room, bare: Wire) -> None:
    room.post("/chats/group-g1/messages", {"person": "E001", "text": "你好", "mention_bot": True})
    webhook = json.loads(bare.next()["data"])["sessionWebhook"]
    said = {"msgtype": "text", "text": {"content": "@李雷 看一下"}, "at": {"atUserIds": ["0102"]}}

    assert room.session.post(webhook, json=said, timeout=5).json() == {"errcode": 0, "errmsg": "ok"}
    refused = room.session.post(webhook, json={"msgtype": "interactiveCard"}, timeout=5)
    assert (refused.status_code, refused.json()["errcode"]) == (200, 40035)
    room.post("/clock", {"advance_seconds": 90 * 60 + 1})
    assert room.session.post(webhook, json=said, timeout=5).json()["errcode"] == 300001

    messages = room.get("/chats/group-g1/messages", person="E002")["messages"]
    assert messages[-1]["content"]["mentions"] == ["E002"]


def test_in_http_mode_messages_are_signed_and_the_answer_may_be_one(room: Room, listener: Listener) -> None:
    listener.handler = lambda *_: (200, json.dumps({"msgtype": "text", "text": {"content": "收到啦"}}).encode())
    room.put("/dingtalk/callback", {"mode": "http", "url": listener.url})

    outcome = room.say("E001", "你好", "dingtalk")["outcome"]

    _, _, _, body, headers = listener.heard[-1]
    assert headers["sign"] == robot_sign(headers["timestamp"], CLIENT_SECRET)
    assert json.loads(body)["text"]["content"] == "你好"
    assert outcome["delivered"]
    assert [message["text"] for message in room.messages("E001", "dingtalk")] == ["你好", "收到啦"]
    for variant in ("bad_signature", "stale_timestamp", "garbage"):
        assert room.post("/events/raw", {"platform": "dingtalk", "variant": variant})["status"] == 200
    stale = listener.heard[-2][4]
    assert stale["sign"] == robot_sign(stale["timestamp"], CLIENT_SECRET)
    assert int(stale["timestamp"]) < int(headers["timestamp"]) - 3_600_000


def test_http_events_are_sealed_and_want_an_encrypted_success(room: Room, listener: Listener) -> None:
    key, token, heard = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "tok123", []

    def handler(_: str, __: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        encrypted = json.loads(body)["encrypt"]
        assert query["signature"] == cipher.signature(token, query["timestamp"], query["nonce"], encrypted)
        message, owner = cipher.decrypt(encrypted, key)
        heard.append((json.loads(message), owner))
        sealed = cipher.encrypt("success", CLIENT_ID, key)
        answer = {"msg_signature": cipher.signature(token, "1", "n", sealed), "timeStamp": "1", "nonce": "n", "encrypt": sealed}
        return 200, json.dumps(answer).encode()

    listener.handler = handler
    setting = {"mode": "http", "url": listener.url, "event_url": listener.url, "token": token, "encoding_aes_key": key}
    room.put("/dingtalk/callback", setting)
    outcome = room.put("/people/E003", {"left": True})["events"][0]

    assert outcome["delivered"]
    assert [event["EventType"] for event, _ in heard] == ["check_url", "user_leave_org"]
    assert heard[1][1] == CLIENT_ID
    listener.handler = lambda *_: (200, b'{"ok":true}')
    assert room.put("/dingtalk/callback", setting, status=409)["code"] == "url-verification-failed"


def test_both_generations_share_one_token_which_a_repeat_renews(room: Room) -> None:
    token = room.dingtalk_token()
    room.post("/clock", {"advance_seconds": 7000})
    assert room.dingtalk_token() == token
    old = room.session.get(f"{room.base}/gettoken", params={"appkey": CLIENT_ID, "appsecret": CLIENT_SECRET}, timeout=5).json()
    assert (old["access_token"], old["expires_in"]) == (token, 7200)
    room.post("/clock", {"advance_seconds": 7201})

    answer = room.dingtalk("POST", TO_USERS, text("0101"), token=token)

    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidAuthentication")
    assert answer.json().keys() == {"code", "requestid", "message"}
    old_answer = room.session.post(
        f"{room.base}/topapi/v2/user/get", params={"access_token": token}, json={"userid": "0101"}, timeout=5
    )
    assert (old_answer.status_code, old_answer.json()["errcode"]) == (200, 42001)
    assert room.dingtalk_token() != token


def test_wrong_credentials_are_400(room: Room) -> None:
    body = {"appKey": CLIENT_ID, "appSecret": "wrong"}
    answer = room.session.post(f"{room.base}/v1.0/oauth2/accessToken", json=body, timeout=5)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalidClientIdOrSecret")


def test_the_twenty_first_call_of_a_second_is_refused_with_403_and_not_counted(room: Room) -> None:
    room.put("/quotas", {"dingtalk_qps": 2})
    token = room.dingtalk_token()

    answers = [room.dingtalk("POST", TO_USERS, text("0101"), token=token) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 403]
    assert answers[-1].json()["code"] == "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
    meters = room.get("/meters")["dingtalk"]
    assert (meters["metered_calls"], meters["qps_refusals"]) == (2, 1)


def test_the_monthly_quota_is_counted_and_refused_only_when_told_to(room: Room) -> None:
    room.put("/quotas", {"dingtalk_api_calls_per_month": 1})
    assert room.dingtalk("POST", TO_USERS, text("0101")).status_code == 200
    assert room.dingtalk("POST", TO_USERS, text("0101")).status_code == 200

    room.put("/quotas", {"dingtalk_enforce_month": True})

    answer = room.dingtalk("POST", TO_USERS, text("0101"))
    assert (answer.status_code, answer.json()["code"]) == (403, "Forbidden.AccessDenied.ApiCountLimitForOrg")
    assert room.oapi("/topapi/v2/user/get", {"userid": "0101"})["errcode"] == 0  # the directory is not metered
    room.post("/clock", {"advance_seconds": 32 * 86400})
    assert room.dingtalk("POST", TO_USERS, text("0101")).status_code == 200


def test_the_directory_leaves_out_what_is_not_there(room: Room) -> None:
    assert [each["dept_id"] for each in room.oapi("/topapi/v2/department/listsub", {})["result"]] == [2]
    assert room.oapi("/topapi/v2/department/get", {"dept_id": 2})["result"]["dept_manager_userid_list"] == ["0101"]
    assert room.oapi("/topapi/user/listid", {"dept_id": 3})["result"]["userid_list"] == ["0102", "0103"]

    user = room.oapi("/topapi/v2/user/get", {"userid": "0101"})["result"]

    assert (user["manager_userid"], user["leader_in_dept"]) == ("0100", [{"dept_id": 2, "leader": True}])
    assert "mobile" not in user
    assert "manager_userid" not in room.oapi("/topapi/v2/user/get", {"userid": "0100"})["result"]
    assert room.oapi("/topapi/v2/user/getbymobile", {"mobile": "13800000001"})["result"]["userid"] == "0101"
    assert room.oapi("/topapi/user/getbyunionid", {"unionid": user["unionid"]})["result"] == {"contact_type": 0, "userid": "0101"}
    room.switch("dingtalk.managers_are_filled", False)
    assert "manager_userid" not in room.oapi("/topapi/v2/user/get", {"userid": "0101"})["result"]


def test_users_are_listed_by_pages_without_their_managers(room: Room) -> None:
    first = room.oapi("/topapi/v2/user/list", {"dept_id": 3, "cursor": 0, "size": 1})["result"]
    second = room.oapi("/topapi/v2/user/list", {"dept_id": 3, "cursor": first["next_cursor"], "size": 1})["result"]

    assert [each["name"] for each in first["list"] + second["list"]] == ["李雷", "韩梅"]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert "manager_userid" not in first["list"][0]


@pytest.mark.parametrize(
    ("path", "body", "errcode"),
    [
        ("/topapi/v2/user/get", {"userid": "nobody"}, 33012),
        ("/topapi/v2/user/get", {"userid": "0105"}, 33012),
        ("/topapi/v2/user/get", {}, 400002),
        ("/topapi/v2/department/get", {"dept_id": 99}, 60003),
        ("/topapi/v2/user/list", {"dept_id": 3, "size": 101}, 40035),
        ("/topapi/v2/user/getbymobile", {"mobile": "1"}, 60121),
        ("/topapi/v2/user/getuserinfo", {"code": "used"}, 40078),
    ],
)
def test_a_wrong_directory_call_is_200_with_its_errcode(room: Room, path: str, body: Json, errcode: int) -> None:
    assert room.oapi(path, body)["errcode"] == errcode


def test_a_page_in_the_client_gets_a_code_for_whose_phone_it_is(room: Room) -> None:
    assert "requestAuthCode" in room.session.get(f"{room.base}/dingtalk/dd.js", timeout=5).text
    query = {"corpId": "dingcorpdemo", "clientId": CLIENT_ID}
    assert room.session.get(f"{room.base}/dingtalk/auth-code", params=query, timeout=5).status_code == 401
    opened = {"person": "E001", "platform": "dingtalk", "url": "http://127.0.0.1:1/page"}
    room.session.get(f"{room.base}/sandbox/open", params=opened, allow_redirects=False, timeout=5)

    code = room.session.get(f"{room.base}/dingtalk/auth-code", params=query, timeout=5).json()["code"]

    result = room.oapi("/topapi/v2/user/getuserinfo", {"code": code})["result"]
    assert (result["userid"], result["name"]) == ("0101", "王敏")
    assert room.oapi("/topapi/v2/user/getuserinfo", {"code": code})["errcode"] == 40078
    late = room.session.get(f"{room.base}/dingtalk/auth-code", params=query, timeout=5).json()["code"]
    room.post("/clock", {"advance_seconds": 301})
    assert room.oapi("/topapi/v2/user/getuserinfo", {"code": late})["errcode"] == 40078


def test_a_page_outside_the_client_logs_in_by_redirect(room: Room) -> None:
    query = {"client_id": CLIENT_ID, "response_type": "code", "scope": "openid", "prompt": "consent", "state": "s"}
    back = {"redirect_uri": "http://127.0.0.1:1/back", "sandbox_person": "E001"}
    answer = room.session.get(f"{room.base}/oauth2/auth", params=query | back, allow_redirects=False, timeout=5)
    found = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (found["code"], found["state"]) == (found["authCode"], ["s"])
    grant = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "code": found["code"][0], "grantType": "authorization_code"}

    token = room.session.post(f"{room.base}/v1.0/oauth2/userAccessToken", json=grant, timeout=5).json()

    me = room.dingtalk("GET", "/v1.0/contact/users/me", token=token["accessToken"]).json()
    assert me["nick"] == "王敏"
    assert "userid" not in me
    assert room.oapi("/topapi/user/getbyunionid", {"unionid": me["unionId"]})["result"]["userid"] == "0101"
    again = room.session.post(f"{room.base}/v1.0/oauth2/userAccessToken", json=grant, timeout=5)
    assert again.status_code == 400
    refresh = {
        "clientId": CLIENT_ID,
        "clientSecret": CLIENT_SECRET,
        "refreshToken": token["refreshToken"],
        "grantType": "refresh_token",
    }
    assert room.session.post(f"{room.base}/v1.0/oauth2/userAccessToken", json=refresh, timeout=5).json()["accessToken"]
    assert room.session.get(f"{room.base}/oauth2/auth", params=query | {"scope": "all"}, timeout=5).status_code == 400


def test_an_unpublished_robot_hides_the_sender(room: Room, bare: Wire) -> None:
    room.switch("dingtalk.robot_published", False)

    room.say("E001", "你好", "dingtalk")

    assert "senderStaffId" not in json.loads(bare.next()["data"])


def test_an_unknown_api_is_404(room: Room) -> None:
    assert room.dingtalk("POST", "/v1.0/robot/unknown", {}).status_code == 404
    wait_for(lambda: room.get("/requests")["requests"][-1]["status"] == 404, "the record")
