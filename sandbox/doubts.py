"""What the platforms' pages leave open, the reading taken here, and the switch that changes it. Shown on the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.company import Platform
from sandbox.store import Store

Value = bool | int | float | str
SWITCHES = "switch"


@dataclass(frozen=True)
class Doubt:
    """One open question. `default` is the reading; None when there is nothing to switch."""

    switch: str | None
    default: Value | None
    question: str
    reading: str
    source: str
    platform: Platform = "wecom"


WECOM_DOUBTS = (
    Doubt(
        "wecom.surplus_card_fields",
        "refuse",
        "Is a field that the card type does not document refused?",
        "refuse; 'warn' accepts it with a warning",
        "[doc 90236] lists fields only",
    ),
    Doubt(
        "wecom.advised_lengths",
        "warn",
        "Are texts above the advised length cut or refused?",
        "shown in full with a warning; 'refuse' answers an error",
        "[mem]",
    ),
    Doubt(
        "wecom.bad_card_errcode",
        40058,
        "Which errcode has a card with a wrong count or a missing field?",
        "40058",
        "[doc 90313] names 40058 'bad parameter'",
    ),
    Doubt("wecom.task_id_reused_errcode", 40058, "Which errcode has a task_id that was used before?", "40058", "[mem]"),
    Doubt(
        "wecom.no_callback_errcode",
        40058,
        "Which errcode has a callback card sent without a callback URL?",
        "40058",
        "[doc 90236] forbids, names no code",
    ),
    Doubt(
        "wecom.empty_multi_vote",
        "allowed",
        "Can a multi-choice card be submitted with nothing ticked?",
        "allowed; 'blocked' as a client might",
        "[mem]",
    ),
    Doubt(
        "wecom.callback_tries",
        4,
        "Is a failed callback tried three times in all or three times more?",
        "the original and three more",
        "[doc 90238] '总共重试三次'",
    ),
    Doubt("wecom.retry_spacing_seconds", 1.0, "How long after a failed callback comes the next try?", "1 s", "[mem]"),
    Doubt(
        "wecom.retry_on_bad_status",
        True,
        "Is an answer other than 200 tried again, or only a timeout?",
        "tried again",
        "[doc 91116]; a thread says otherwise",
    ),
    Doubt("wecom.retry_keeps_signature", False, "Are nonce and signature the same on a retry?", "new ones", "[mem]"),
    Doubt(
        "wecom.duplicate_repeats_response_code",
        False,
        "What does the second of two equal sends answer?",
        "errcode 0 and the first msgid, without response_code",
        "[doc 90236] says only that nobody sees it twice",
    ),
    Doubt(
        "wecom.atall_with_tap_code",
        True,
        "Can the code of a tap update the card of others?",
        "yes, like the code of the send",
        "[doc 94888]",
    ),
    Doubt(None, None, "Does a card that is greyed by replace_name keep the ticks of the tapper?", "yes", "[mem]"),
    Doubt(
        "wecom.passive_update_consumes_code",
        False,
        "Does a passive card reply use up the code of the tap?",
        "no",
        "[doc 90241] is silent",
    ),
    Doubt("wecom.refuse_unicode_escapes", True, "Is a body with \\uXXXX refused?", "yes, 40033", "[doc 90313]"),
    Doubt("wecom.markdown_too_long", "refuse", "Is markdown above 2048 bytes cut or refused?", "refused with 45002; 'cut'", "[mem]"),
    Doubt(
        "wecom.report_enter_agent", False, "Is the report of members who open the app switched on?", "off, as a new app", "[doc 90240]"
    ),
    Doubt(
        "wecom.ip_is_trusted",
        True,
        "Is the caller's address in the trusted list?",
        "yes; off answers 60020 to every call",
        "[doc 96255]",
    ),
    Doubt(
        "wecom.sensitive_fields", False, "Does user/get give mobile and avatar?", "no, as for apps made after 2022-06-20", "[doc 96255]"
    ),
    Doubt(
        "wecom.contacts_secret_reads_users",
        False,
        "May the contacts-sync secret call user/get and user/list?",
        "no, 48002",
        "[doc 96260]",
    ),
    Doubt(
        "wecom.range_is_root",
        True,
        "Is the app's visible range the root department?",
        "yes; off refuses appchat with 60011",
        "[doc 90245]",
    ),
    Doubt("wecom.trusted_domain", "", "Which host:port may OAuth return to?", "empty: any on this machine", "[doc 91335]"),
    Doubt("wecom.token_seconds", 7200, "How long does a token live?", "7200 s", "[doc 91039]"),
    Doubt("wecom.files_reach_the_app", False, "Does a file sent by a member reach a self-built app?", "no", "[mem]"),
    Doubt(
        None, None, "May an un-updated card be tapped again after a tap?", "yes, at once; a real client greys it for a while", "[mem]"
    ),
    Doubt(None, None, "Does an update that timed out use up its code?", "yes when it had effect (fault timeout_after_effect)", "[mem]"),
    Doubt(
        None, None, "Element names of the passive update_template_card", "CamelCase mirror of the JSON", "[doc 90241] headings, [mem]"
    ),
)

DINGTALK_DOUBTS = (
    Doubt("dingtalk.bad_token_status", 400, "HTTP status of InvalidAuthentication", "400", "[doc global error table]", "dingtalk"),
    Doubt("dingtalk.qps_status", 403, "HTTP status of the QPS refusal", "403", "[issue]", "dingtalk"),
    Doubt(
        "dingtalk.repush_robot_messages",
        False,
        "Is a robot message without an ACK pushed again?",
        "no",
        "[doc stream-mode-protocol]; users report 60 s",
        "dingtalk",
    ),
    Doubt("dingtalk.repush_seconds", 60.0, "After how long?", "60 s", "[src nodejs SDK]; some saw 16 s", "dingtalk"),
    Doubt(
        "dingtalk.repush_keeps_message_id",
        False,
        "Does a second push keep headers.messageId?",
        "no; eventId and msgId stay",
        "[mem]",
        "dingtalk",
    ),
    Doubt("dingtalk.taps_are_metered", True, "Is a card callback a Webhook&Stream message?", "yes", "[mem]", "dingtalk"),
    Doubt("dingtalk.create_counts_each_space", False, "Is createAndDeliver to N spaces N calls?", "one", "[mem]", "dingtalk"),
    Doubt(
        "dingtalk.tap_names_space",
        True,
        "Are spaceType, spaceId, userIdType, extension in a Stream card callback?",
        "yes",
        "[src Go SDK]",
        "dingtalk",
    ),
    Doubt(
        "dingtalk.tap_uses_value",
        False,
        "Is the content of a tap called content or value?",
        "content",
        "[doc event-callback-card]; one page says value",
        "dingtalk",
    ),
    Doubt(
        "dingtalk.long_values",
        "warn",
        "Are cardParamMap values above 1 KB refused?",
        "warning; 'refuse'",
        "[doc] against [src form example]",
        "dingtalk",
    ),
    Doubt(
        "dingtalk.unknown_variables",
        "refuse",
        "Is a variable that the template does not have refused?",
        "refused here; the platform ignores it; 'warn'",
        "[doc instructions-for-filling-in-api-card-data]",
        "dingtalk",
    ),
    Doubt(
        "dingtalk.template_published",
        True,
        "Is the card template published?",
        "yes; off answers param.templateUnpublished",
        "[issue]",
        "dingtalk",
    ),
    Doubt(
        "dingtalk.robot_published",
        True,
        "Is the robot version online (senderStaffId present)?",
        "yes",
        "[doc receive-message]",
        "dingtalk",
    ),
    Doubt(
        "dingtalk.robot_code_may_be_missing",
        True,
        "Does imRobotOpenDeliverModel without robotCode pick the app's robot?",
        "yes",
        "[src SDK relies on it]",
        "dingtalk",
    ),
    Doubt("dingtalk.ping_seconds", 60.0, "How often does the gateway ping?", "60 s", "[mem]", "dingtalk"),
    Doubt("dingtalk.keepalive_seconds", 30.0, "How often comes KEEPALIVE?", "30 s; 0 never", "[issue] 20-30 s", "dingtalk"),
    Doubt("dingtalk.event_pushes", 10, "How often is an event pushed without a good ACK?", "10 times, 3 s apart", "[mem]", "dingtalk"),
    Doubt("dingtalk.download_code_seconds", 7200.0, "How long does a downloadCode live?", "two hours", "[mem]", "dingtalk"),
    Doubt("dingtalk.field_scopes", False, "Has the app the scopes for mobile and mail?", "no", "[doc]", "dingtalk"),
    Doubt(
        "dingtalk.managers_are_filled",
        True,
        "Is the supervisor field filled in the console?",
        "yes; off leaves manager_userid out",
        "[doc]",
        "dingtalk",
    ),
    Doubt(
        "dingtalk.send_too_fast",
        False,
        "Does batchSend put users into flowControlledStaffIdList?",
        "no; thresholds are unknown",
        "[doc]",
        "dingtalk",
    ),
)
DOUBTS = WECOM_DOUBTS + DINGTALK_DOUBTS
DEFAULTS: dict[str, Value] = {doubt.switch: doubt.default for doubt in DOUBTS if doubt.switch and doubt.default is not None}


class Switches:
    """The readings in force."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reload()

    def reload(self) -> None:
        """Defaults, and above them what was kept."""
        self._values = {**DEFAULTS, **{key: doc["value"] for key, doc in self._store.all(SWITCHES)}}

    def all(self) -> dict[str, Value]:
        """Every switch with its value."""
        return dict(self._values)

    def set(self, changes: dict[str, Any]) -> None:
        """Change the named switches. Raises ValueError for an unknown name or a value of another type; then none changes."""
        for name, value in changes.items():
            _check(name, value)
        for name, value in changes.items():
            self._store.put(SWITCHES, name, {"value": value})
        self.reload()

    def on(self, name: str) -> bool:
        """A switch that is on or off."""
        return bool(self._values[name])

    def number(self, name: str) -> float:
        """A switch that is a number."""
        return float(self._values[name])

    def text(self, name: str) -> str:
        """A switch that is a word."""
        return str(self._values[name])


def _check(name: str, value: object) -> None:
    if name not in DEFAULTS:
        raise ValueError(f"no switch is called {name!r}")
    default = DEFAULTS[name]
    both_numbers = isinstance(value, int | float) and isinstance(default, int | float)
    if isinstance(value, bool) != isinstance(default, bool) or not (both_numbers or isinstance(value, type(default))):
        raise ValueError(f"{name} is like {default!r}, not {value!r}")
