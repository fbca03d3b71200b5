"""The documents are those of the platform notes, §4 and §13.5."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadRequest
from bot.wecom.decode import to_event
from rules.events import Account, CardAction, ChatMessage, MemberChange, Platform, UnknownEvent

LI_SI = Account(Platform.WECOM, "li.si")


def xml(**fields: str) -> bytes:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return f"<xml><ToUserName><![CDATA[ww1]]></ToUserName>{inner}<AgentID>1000002</AgentID></xml>".encode()


def press(selected: str, card_type: str = "vote_interaction") -> bytes:
    return xml(
        FromUserName="<![CDATA[li.si]]>",
        CreateTime="1760000200",
        MsgType="<![CDATA[event]]>",
        Event="<![CDATA[template_card_event]]>",
        EventKey="<![CDATA[submit_daily]]>",
        TaskId="<![CDATA[0123456789abcdef0123456789abcdef]]>",
        CardType=f"<![CDATA[{card_type}]]>",
        ResponseCode="<![CDATA[RC-9f2e]]>",
        SelectedItems=selected,
    )


def selected(question: str, *options: str) -> str:
    ids = "".join(f"<OptionId><![CDATA[{option}]]></OptionId>" for option in options)
    return f"<SelectedItem><QuestionKey><![CDATA[{question}]]></QuestionKey><OptionIds>{ids}</OptionIds></SelectedItem>"


def test_a_text() -> None:
    body = xml(FromUserName="li.si", MsgType="text", Content="<![CDATA[ 9月12日 话术漏了促单 \n]]>", MsgId="7412345678901234567")

    assert to_event(body) == ChatMessage("msg:7412345678901234567", LI_SI, "9月12日 话术漏了促单")


def test_an_empty_text_is_a_message_all_the_same() -> None:
    body = xml(FromUserName="li.si", MsgType="text", Content="<![CDATA[  ]]>", MsgId="1")

    assert to_event(body) == ChatMessage("msg:1", LI_SI, "")


def test_a_picture_is_known_by_its_media_id_and_not_by_its_link() -> None:
    body = xml(FromUserName="li.si", MsgType="image", PicUrl="http://example.com/77", MediaId="MEDIA77", MsgId="8")

    assert to_event(body) == ChatMessage("msg:8", LI_SI, "", media="MEDIA77")


@pytest.mark.parametrize(
    ("items", "ticks"),
    [
        (selected("ticks"), ()),
        (selected("ticks", "t101"), ("t101",)),
        (selected("ticks", "t101", "t104"), ("t101", "t104")),
        ("", ()),
    ],
)
def test_boxes_that_were_submitted(items: str, ticks: tuple[str, ...]) -> None:
    assert to_event(press(items)) == CardAction(
        id="press:RC-9f2e",
        by=LI_SI,
        card_id="0123456789abcdef0123456789abcdef",
        action="submit_daily",
        ticks=ticks,
        handle="RC-9f2e",
    )


def test_what_was_selected_on_another_kind_of_card_are_fields() -> None:
    event = to_event(press(selected("delay", "d1") + selected("why", "w2"), card_type="multiple_interaction"))

    assert isinstance(event, CardAction)
    assert (event.ticks, event.fields) == ((), {"delay": "d1", "why": "w2"})


def test_two_presses_of_one_button_within_a_second_are_two_events() -> None:
    first, second = press(selected("ticks", "a")), press(selected("ticks", "a")).replace(b"RC-9f2e", b"RC-9f2f")

    assert to_event(first).id != to_event(second).id


@pytest.mark.parametrize(
    ("fields", "user_ids", "left"),
    [
        ({"ChangeType": "create_user", "UserID": "wang.wu"}, ("wang.wu",), False),
        ({"ChangeType": "update_user", "UserID": "wang.wu", "NewUserID": "wang.w"}, ("wang.wu", "wang.w"), False),
        ({"ChangeType": "update_user", "UserID": "wang.wu", "Status": "5"}, ("wang.wu",), True),
        ({"ChangeType": "delete_user", "UserID": "wang.wu"}, ("wang.wu",), True),
    ],
)
def test_a_change_of_the_directory(fields: dict[str, str], user_ids: tuple[str, ...], left: bool) -> None:
    body = xml(FromUserName="sys", CreateTime="1760000200", MsgType="event", Event="change_contact", **fields)

    assert to_event(body) == MemberChange(f"sha256:{hashlib.sha256(body).hexdigest()}", Platform.WECOM, user_ids, left)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (xml(FromUserName="li.si", MsgType="event", Event="enter_agent", EventKey=""), "enter_agent"),
        (
            xml(FromUserName="li.si", MsgType="event", Event="template_card_menu_event", TaskId="t", EventKey="mute"),
            "template_card_menu_event",
        ),
        (xml(FromUserName="sys", MsgType="event", Event="change_contact", ChangeType="update_party", Id="2"), "change_contact"),
        (xml(FromUserName="li.si", MsgType="voice", MediaId="M", MsgId="9"), "voice"),
        (xml(MsgType="text", Content="from nobody", MsgId="9"), "text"),
        (xml(FromUserName="li.si", MsgType="image", MsgId="9"), "image"),
        (xml(FromUserName="li.si", MsgType="event", Event="template_card_event", EventKey="go"), "template_card_event"),
        (xml(FromUserName="li.si", MsgType="event", Event="x" * 1000), "x" * 64),
        (xml(FromUserName="li.si"), "untyped"),
        (b"<xml><MsgType>text</MsgType><MsgType>image</MsgType></xml>", "untyped"),
    ],
)
def test_what_we_do_not_act_on_is_kept_by_its_kind(body: bytes, kind: str) -> None:
    assert to_event(body) == UnknownEvent(f"sha256:{hashlib.sha256(body).hexdigest()}", Platform.WECOM, kind)


def test_an_id_longer_than_the_inbox_can_hold_becomes_a_hash() -> None:
    body = press("").replace(b"RC-9f2e", b"R" * 500)

    event = to_event(body)

    assert event.id == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert isinstance(event, CardAction)
    assert event.handle == "R" * 500


def test_what_is_too_long_to_be_a_code_or_a_name_is_none() -> None:
    pressed = to_event(press("").replace(b"RC-9f2e", b"R" * 513))
    said = to_event(xml(FromUserName="x" * 129, MsgType="text", Content="帮助"))

    assert isinstance(pressed, CardAction)
    assert pressed.handle is None
    assert isinstance(said, UnknownEvent)


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><MsgType>&b;</MsgType></xml>'


@pytest.mark.parametrize("body", [b"", b"<xml>", b"plain", b"<json/>", b"<xml>text only</xml>", BOMB, b"<xml>\xff</xml>", b"\x00" * 50])
def test_what_is_not_wecoms_xml_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        to_event(body)


SOUP = st.lists(
    st.sampled_from(
        [
            "<xml>",
            "</xml>",
            "<MsgType>",
            "</MsgType>",
            "event",
            "text",
            "<Event>",
            "</Event>",
            "template_card_event",
            "<SelectedItems>",
            "</SelectedItems>",
            "<SelectedItem>",
            "</SelectedItem>",
            "<OptionIds>",
            "</OptionIds>",
            "<OptionId/>",
            "<FromUserName>",
            "</FromUserName>",
            "<![CDATA[",
            "]]>",
            "&#0;",
            "x",
        ]
    ),
    max_size=30,
).map("".join)
FIELDS = st.dictionaries(st.sampled_from(["MsgType", "Event", "FromUserName", "TaskId", "EventKey", "SelectedItems", "UserID"]), SOUP)
PRESS = {"MsgType": "event", "Event": "template_card_event", "FromUserName": "li.si", "TaskId": "t", "EventKey": "go"}


@given(st.one_of(st.binary(max_size=200), SOUP.map(str.encode), FIELDS.map(lambda fields: xml(**{**PRESS, **fields}))))
def test_any_bytes_become_an_event_or_a_bad_request(body: bytes) -> None:
    try:
        event = to_event(body)
    except BadRequest:
        return
    assert 0 < len(event.id) <= 128
