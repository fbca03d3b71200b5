"""What the robot sends besides cards: private and group messages, recall, read status, files, session webhooks.

Source: [doc chatbots-send-one-on-one-chat-messages-in-batches], [doc the-robot-sends-a-group-message],
[doc robot-message-type], [doc batch-message-recall-chat], [doc download-the-file-content-of-the-robot-receiving-message].
"""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.chats import Chat, Message
from sandbox.clock import parse_iso, stamp
from sandbox.dingtalk.api import Call, OldRefused, Refused, needs
from sandbox.dingtalk.hub import DingTalk
from sandbox.gate import Answer, Heard, pass_through
from sandbox.media import MEDIA, keep_media, media_file
from sandbox.neutral import Neutral, blank_card, button
from sandbox.store import Doc

SENDS, DOWNLOADS, FILES, SESSIONS = "dingtalk_send", "dingtalk_download", "dingtalk_file", "dingtalk_session"
MOST_USERS, MOST_KEYS = 20, 20
LONGEST_PARAM = 15_000
WINDOW = timedelta(hours=24)
FILE_LIFETIME = timedelta(minutes=10)
MEBIBYTE = 1024 * 1024

# msgKey to the keys its msgParam needs, all of them strings [doc robot-message-type].
MESSAGE_KEYS: dict[str, tuple[str, ...]] = {
    "sampleText": ("content",),
    "sampleMarkdown": ("title", "text"),
    "sampleImageMsg": ("photoURL",),
    "sampleLink": ("title", "text", "picUrl", "messageUrl"),
    "sampleActionCard": ("title", "text", "singleTitle", "singleURL"),
    **{
        f"sampleActionCard{count}": ("title", "text", *(f"action{part}{n}" for n in range(1, count + 1) for part in ("Title", "URL")))
        for count in range(2, 6)
    },
    "sampleActionCard6": ("title", "text", "buttonTitle1", "buttonUrl1", "buttonTitle2", "buttonUrl2"),
    "sampleAudio": ("mediaId", "duration"),
    "sampleFile": ("mediaId", "fileName", "fileType"),
    "sampleVideo": ("videoMediaId", "videoType", "picMediaId", "duration"),
}
SHOWN_AS = {
    "sampleMarkdown": "markdown",
    "sampleImageMsg": "image",
    "sampleLink": "link",
    "sampleAudio": "voice",
    "sampleFile": "file",
    "sampleVideo": "video",
}
FILE_TYPES = {"xlsx", "pdf", "zip", "rar", "doc", "docx"}
# media/upload: kind to (bytes, endings) [doc upload-media-files].
UPLOADS = {
    "image": (20 * MEBIBYTE, {"jpg", "jpeg", "gif", "png", "bmp"}),
    "voice": (2 * MEBIBYTE, {"amr", "mp3", "wav"}),
    "video": (20 * MEBIBYTE, {"mp4"}),
    "file": (20 * MEBIBYTE, {"doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip", "pdf", "rar"}),
}


def send_to_users(call: Call) -> Doc:
    """oToMessages/batchSend. HTTP 200 with everybody in the lists is possible: the lists decide."""
    body = call.body
    _check_robot(call)
    users = body.get("userIds")
    if not users:
        raise Refused("invalidParameter.userIds.empty", "userIds is empty")
    if not isinstance(users, list) or len(users) > MOST_USERS:
        raise Refused("invalidParameter.userIds.overMax", f"at most {MOST_USERS} userIds")
    key, param = _message(body)
    invalid, slowed, people = [], [], []
    for userid in dict.fromkeys(users):
        person = call.dingtalk.user(str(userid))
        if person is None:
            invalid.append(userid)
        elif call.world.switches.on("dingtalk.send_too_fast"):
            slowed.append(userid)
        else:
            people.append(person)
    handle = _new_handle(call)
    with call.world.store.transaction():
        for person in people:
            _put(call.dingtalk, call.dingtalk.private_chat(person), key, param, handle)
    return {"processQueryKey": handle, "invalidStaffIdList": invalid, "flowControlledStaffIdList": slowed}


def send_to_group(call: Call) -> Doc:
    """groupMessages/send: no @ here, whatever the text says."""
    _check_robot(call)
    key, param = _message(call.body)
    group = _group(call)
    handle = _new_handle(call)
    _put(call.dingtalk, group, key, param, handle)
    return {"processQueryKey": handle}


def recall_from_users(call: Call) -> Doc:
    """otoMessages/batchRecall (lower-case oto): at most 20 keys, 24 h; leaves no trace."""
    _check_robot(call)
    return _recall(call)


def recall_from_group(call: Call) -> Doc:
    """groupMessages/recall."""
    _check_robot(call)
    _group(call)
    return _recall(call)


def read_status(call: Call) -> Doc:
    """Who has read a private message; only within 24 h."""
    sent = _sent(call, call.args.get("processQueryKey"))
    readers = []
    for message in call.world.chats.of_handle(call.args["processQueryKey"]):
        chat = call.world.chats.find(message.chat)
        person = call.world.directory.get(chat.key) if chat else None
        if person and person.dingtalk and chat:
            read = call.world.chats.read_up_to(chat.id, person.key) >= message.seq
            readers.append({"userId": person.dingtalk.userid, "name": person.name, "readStatus": "READ" if read else "UNREAD"})
    return {"sendStatus": "RECALLED" if sent["recalled"] else "SUCCESS", "messageReadInfoList": readers}


def group_read_status(call: Call) -> Doc:
    """Who has read a group message."""
    sent = _sent(call, call.body.get("processQueryKey"))
    readers: list[Doc] = []
    for message in call.world.chats.of_handle(call.body["processQueryKey"]):
        chat = call.world.chats.find(message.chat)
        for key in chat.members if chat else ():
            person = call.world.directory.get(key)
            if person and person.dingtalk and call.world.chats.read_up_to(message.chat, key) >= message.seq:
                readers.append({"userId": person.dingtalk.userid, "unionId": call.dingtalk.union_id(person)})
    status = "RECALLED" if sent["recalled"] else "SUCCESS"
    return {
        "sendStatus": status,
        "readUserIds": [each["userId"] for each in readers],
        "readUsers": readers,
        "hasMore": False,
        "nextToken": "",
    }


def installed_groups(call: Call) -> Doc:
    """The groups the robot is in."""
    _check_robot(call)
    return {"openConversationIds": [group.chat_id for group in call.world.chats.groups("dingtalk") if group.robot_in]}


def download(call: Call) -> Doc:
    """A downloadCode of a received message becomes a temporary signed URL on another path."""
    needs(call.body, "downloadCode", "robotCode")
    if call.body["robotCode"] != call.world.company.dingtalk.robot_code:
        raise Refused("invalidParameter.robotCode.auth", "robotCode does not fit the token")
    kept = call.world.store.get(DOWNLOADS, call.body["downloadCode"])
    lifetime = timedelta(seconds=call.world.switches.number("dingtalk.download_code_seconds"))
    if kept is None or call.world.clock.now() - parse_iso(kept["at"]) > lifetime:
        raise Refused("invalidParameter.robotCode.downloadCode", "downloadCode is wrong or expired")
    if kept.get("broken"):
        raise Refused("unknownError", "unknownError", 500)
    expires, signature = call.world.clock.now() + FILE_LIFETIME, secrets.token_hex(20)
    call.world.store.put(FILES, signature, {"media": kept["media"], "expires": stamp(expires)})
    name = f"{secrets.token_hex(8)}.file"
    return {"downloadUrl": f"{call.world.base_url}/oss/{name}?Expires={int(expires.timestamp())}&Signature={signature}"}


def upload(call: Call) -> Doc:
    """media/upload of the old host: form field `type`, file field `media`."""
    kind, part = call.form.get("type") or call.args.get("type", ""), call.files.get("media")
    if kind not in UPLOADS:
        raise OldRefused(40004, "不合法的媒体文件类型")
    if part is None:
        raise OldRefused(41005, "缺少多媒体文件数据")
    content, (largest, endings) = part.stream.read(), UPLOADS[kind]
    if len(content) > largest:
        raise OldRefused(40009, "文件大小超过限制")
    name = part.filename or ""
    if name.rpartition(".")[2].lower() not in endings:
        raise OldRefused(40004, "不合法的媒体文件类型")
    media_id = "@" + keep_media(call.world, content, kind, name)
    call.world.store.put(MEDIA, media_id, {"media": media_id[1:]})
    return {"media_id": media_id, "type": kind, "created_at": call.world.clock.epoch_ms()}


def robot_blueprint(dingtalk: DingTalk) -> Blueprint:
    """Addresses without a token: session webhooks and signed files."""
    routes = Blueprint("dingtalk_robot", __name__)

    @routes.post("/robot/sendBySession")
    def session() -> Response:
        heard = Heard("dingtalk", "POST /robot/sendBySession", request.get_json(force=True, silent=True))
        return pass_through(
            dingtalk.world, heard, lambda: _send_by_session(dingtalk, heard), lambda _: Answer({"errcode": -1, "errmsg": "system busy"})
        )

    @routes.get("/oss/<name>")
    def file(name: str) -> Response:
        kept = dingtalk.world.store.get(FILES, request.args.get("Signature", ""))
        found = media_file(dingtalk.world, kept["media"]) if kept else None
        if kept is None or found is None or parse_iso(kept["expires"]) < dingtalk.world.clock.now():
            return Response("<Error><Code>AccessDenied</Code></Error>", 403, content_type="application/xml")
        return Response(
            found[1], content_type="application/octet-stream", headers={"Content-Disposition": f"attachment; filename={name}"}
        )

    @routes.get("/robot/sendBySession")
    def wrong_method() -> Response:
        return jsonify(errcode=43002, errmsg="require POST method")

    return routes


def put_webhook_message(dingtalk: DingTalk, chat: Chat, body: Doc) -> str | None:
    """A message of the webhook types (session webhook, answer of an HTTP robot callback); why it was not taken, or None."""
    kind = str(body.get("msgtype"))
    part = body.get(kind)
    if kind not in ("text", "markdown", "link", "actionCard", "feedCard") or not isinstance(part, dict):
        return f"msgtype {kind!r} is not known here"
    text = part.get("content") if kind == "text" else part.get("text") or part.get("title") or ""
    if not text and kind != "feedCard":
        return f"{kind} has no text"
    shown = {"text": "text", "markdown": "markdown", "link": "link", "actionCard": "action_card", "feedCard": "news"}[kind]
    content: Doc = {"mentions": _mentions(dingtalk, body)}
    if kind == "link":
        content |= {"url": part.get("messageUrl")}
    if kind == "feedCard":
        links = part.get("links") or []
        articles = [
            {"title": each.get("title"), "description": "", "url": each.get("messageURL"), "picture": each.get("picURL")}
            for each in links
        ]
        content |= {"articles": articles}
    dingtalk.world.chats.add(Message(chat=chat.id, sender=None, kind=shown, text=str(text or ""), content=content, raw=body))
    return None


def new_session(dingtalk: DingTalk, chat: Chat) -> tuple[str, int]:
    """(sessionWebhook, its end in ms) of an incoming message; valid for 90 minutes."""
    session = secrets.token_hex(16)
    ends = dingtalk.world.clock.now() + timedelta(minutes=90)
    dingtalk.world.store.put(SESSIONS, session, {"chat": chat.id, "ends": stamp(ends)})
    return f"{dingtalk.world.base_url}/robot/sendBySession?session={session}", round(ends.timestamp() * 1000)


def new_download_code(dingtalk: DingTalk, media_id: str, *, broken: bool = False) -> str:
    """A code for messageFiles/download. A broken one (pictureDownloadCode) ends in HTTP 500, as users report."""
    code = secrets.token_urlsafe(30)
    dingtalk.world.store.put(DOWNLOADS, code, {"media": media_id, "at": stamp(dingtalk.world.clock.now()), "broken": broken})
    return code


def show(message: Message) -> Neutral | None:
    """An action card in the control API's shape; None for other messages."""
    if message.kind != "action_card":
        return None
    param = message.raw.get("msgParam") or message.raw.get("actionCard") or {}
    title, text = param.get("title") or "", param.get("text") or ""
    pairs = [(param.get("singleTitle"), param.get("singleURL"))]
    pairs += [(param.get(f"actionTitle{n}"), param.get(f"actionURL{n}")) for n in range(1, 6)]
    pairs += [(param.get(f"buttonTitle{n}"), param.get(f"buttonUrl{n}")) for n in (1, 2)]
    pairs += [(each.get("title"), each.get("actionURL")) for each in param.get("btns") or []]
    buttons = [button(str(label), url=str(url), style="primary") for label, url in pairs if label]
    return blank_card() | {"title": title, "body_markdown": text, "buttons": buttons}


def _check_robot(call: Call) -> None:
    code = call.body.get("robotCode")
    if not code:
        raise Refused("invalidParameter.robotCode.empty", "robotCode is empty")
    if code != call.world.company.dingtalk.robot_code:
        raise Refused("invalidParameter.robotCode.notExsit", "robotCode does not exist")


def _message(body: Doc) -> tuple[str, Doc]:
    """(msgKey, parsed msgParam), checked."""
    key, text = body.get("msgKey"), body.get("msgParam")
    if not key:
        raise Refused("invalidParameter.msgKey.empty", "msgKey is empty")
    if key not in MESSAGE_KEYS:
        raise Refused("invalidParameter.msgKey.invalid", f"msgKey {key!r} is unknown")
    if not isinstance(text, str):
        raise Refused("invalidParameter.msgParam.invalid", "msgParam is a string of JSON")
    if len(text.encode()) > LONGEST_PARAM:
        raise Refused("invalidParameter.msgParam.tooLong", f"msgParam is longer than {LONGEST_PARAM} bytes")
    try:
        param: Any = json.loads(text)
    except ValueError:
        param = None
    wrong = not isinstance(param, dict) or any(not isinstance(param.get(name), str) or not param[name] for name in MESSAGE_KEYS[key])
    if wrong or any(not isinstance(value, str) for value in param.values()):
        raise Refused("invalidParameter.msgParam.invalid", f"{key} needs the strings {', '.join(MESSAGE_KEYS[key])}")
    if key == "sampleFile" and param["fileType"] not in FILE_TYPES:
        raise Refused("invalidParameter.msgParam.invalid", f"fileType is one of {', '.join(sorted(FILE_TYPES))}")
    return key, param


def _group(call: Call) -> Chat:
    group = call.world.chats.group_by_chat_id("dingtalk", str(call.body.get("openConversationId") or ""))
    if group is None:
        raise Refused("invalid.openConversationId", "openConversationId is wrong")
    if not group.robot_in:
        raise Refused("resource.not.found", "the robot is not in the group")
    return group


def _new_handle(call: Call) -> str:
    handle = secrets.token_urlsafe(24) + "+/="
    call.world.store.put(SENDS, handle, {"at": stamp(call.world.clock.now()), "recalled": False})
    return handle


def _put(dingtalk: DingTalk, chat: Chat, key: str, param: Doc, handle: str) -> None:
    if key == "sampleText":
        kind, text = "text", param["content"]
    elif key.startswith("sampleActionCard"):
        kind, text = "action_card", param["title"]
    else:
        kinds = {
            "sampleMarkdown": "markdown",
            "sampleImageMsg": "image",
            "sampleLink": "link",
            "sampleAudio": "voice",
            "sampleFile": "file",
        }
        kind, text = kinds.get(key, "video"), param.get("text") or param.get("fileName") or ""
    content: Doc = {"title": param.get("title") or ""}
    shown_media = param.get("photoURL") or param.get("mediaId") or param.get("videoMediaId") or ""
    if shown_media.startswith("@"):
        content["media"] = shown_media[1:]
    elif shown_media:
        content["url"] = shown_media
    if key == "sampleLink":
        content |= {"url": param["messageUrl"], "articles": []}
    dingtalk.world.chats.add(
        Message(chat=chat.id, sender=None, kind=kind, text=text, content=content, raw={"msgKey": key, "msgParam": param}, handle=handle)
    )


def _sent(call: Call, handle: object) -> Doc:
    kept = call.world.store.get(SENDS, str(handle or ""))
    if kept is None:
        raise Refused("invalidParameter.processQueryKey", "processQueryKey is wrong")
    if call.world.clock.now() - parse_iso(kept["at"]) > WINDOW:
        raise Refused("processQueryKey.expireTime", "processQueryKey is older than 24 hours")
    return kept


def _recall(call: Call) -> Doc:
    keys = call.body.get("processQueryKeys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= MOST_KEYS:
        raise Refused("invalidParameter.processQueryKeys", f"1 to {MOST_KEYS} processQueryKeys")
    done, failed = [], {}
    for key in keys:
        try:
            kept = _sent(call, key)
        except Refused as refused:
            failed[key] = refused.message
            continue
        call.world.store.put(SENDS, key, kept | {"recalled": True})
        for message in call.world.chats.of_handle(key):
            call.world.chats.alter(message, recalled=True)
        done.append(key)
    return {"successResult": done, "failedResult": failed}


def _send_by_session(dingtalk: DingTalk, heard: Heard) -> Answer:
    """HTTP 200 even when refused; cards cannot be sent this way."""
    session = dingtalk.world.store.get(SESSIONS, request.args.get("session", ""))
    chat = dingtalk.world.chats.find(session["chat"]) if session else None
    if session is None or chat is None:
        return Answer({"errcode": 300001, "errmsg": "session 不存在"})
    if parse_iso(session["ends"]) < dingtalk.world.clock.now():
        return Answer({"errcode": 300001, "errmsg": "session 已过期"})
    if not isinstance(heard.body, dict):
        return Answer({"errcode": 40035, "errmsg": "不合法的参数"})
    dingtalk.world.meters.count("dingtalk", "metered")
    problem = put_webhook_message(dingtalk, chat, heard.body)
    return Answer({"errcode": 40035, "errmsg": problem} if problem else {"errcode": 0, "errmsg": "ok"})


def _article(link: Doc) -> Doc:
    return {"title": link.get("title"), "description": "", "url": link.get("messageURL"), "picture": link.get("picURL")}


def _mentions(dingtalk: DingTalk, body: Doc) -> list[str]:
    users = (body.get("at") or {}).get("atUserIds") or []
    return [person.key for userid in users if (person := dingtalk.user(str(userid)))]
