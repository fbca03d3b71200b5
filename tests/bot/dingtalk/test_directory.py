from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Response

from bot.channel import SendFailed
from bot.dingtalk.api import DingTalkApi
from bot.dingtalk.directory import fetch
from rules.directory import Department, Member
from tests.bot.server import Asked, Server, as_json, serving

DEPARTMENTS: dict[int, dict[str, Any]] = {
    1: {"dept_id": 1, "name": "总部", "dept_manager_userid_list": ["boss"]},
    2: {"dept_id": 2, "name": "华东", "parent_id": 1, "dept_manager_userid_list": []},
    5: {"dept_id": 5, "name": "客服一组", "parent_id": 2, "dept_manager_userid_list": ["lead.a", "lead.a2"]},
}
BELOW = {1: [2], 2: [5], 5: []}
USERS: dict[str, dict[str, Any]] = {
    "boss": {"userid": "boss", "name": "老板", "dept_id_list": [1]},
    "lead.a": {"userid": "lead.a", "name": "甲", "dept_id_list": [5]},
    "lead.a2": {"userid": "lead.a2", "name": "乙", "dept_id_list": [5, 2], "active": False},
    "wang": {"userid": "wang", "name": "小王", "dept_id_list": [5], "mobile": "13800000000", "job_number": "007", "title": "客服"},
    "li": {"userid": "li", "name": "小李", "dept_id_list": [5], "manager_userid": "boss"},
    "self": {"userid": "self", "name": "自己", "dept_id_list": [2], "manager_userid": "self"},
}


def old(answer: Callable[[dict[str, Any]], object]) -> Callable[[Asked], Response]:
    return lambda asked: as_json({"errcode": 0, "errmsg": "ok", "result": answer(asked.json), "request_id": "r"})


def page(body: dict[str, Any]) -> dict[str, Any]:
    """Two people to a page, however many were asked for."""
    here = [user for user in USERS.values() if body["dept_id"] in user["dept_id_list"]]
    rest = here[body["cursor"] : body["cursor"] + 2]
    more = body["cursor"] + 2 < len(here)
    return {"has_more": more, "list": rest, **({"next_cursor": body["cursor"] + 2} if more else {})}


@pytest.fixture
def platform() -> Iterator[Server]:
    answers = {
        "/v1.0/oauth2/accessToken": lambda asked: as_json({"accessToken": "T", "expireIn": 7200}),
        "/topapi/v2/department/get": old(lambda body: DEPARTMENTS[body["dept_id"]]),
        "/topapi/v2/department/listsub": old(lambda body: [DEPARTMENTS[id] for id in BELOW[body["dept_id"]]]),
        "/topapi/v2/user/list": old(page),
        "/topapi/v2/user/get": old(lambda body: USERS[body["userid"]]),
    }
    with serving(answers) as server:
        yield server


def api_of(platform: Server) -> DingTalkApi:
    return DingTalkApi("dingdemoapp", "secret", platform.url, platform.url)


def test_everybody_is_listed_once_over_all_pages_and_departments(platform: Server) -> None:
    directory = fetch(api_of(platform))

    assert directory.departments == {1: Department(1, "总部", None), 2: Department(2, "华东", 1), 5: Department(5, "客服一组", 2)}
    assert sorted(member.user_id for member in directory.members) == sorted(USERS)
    wang = next(member for member in directory.members if member.user_id == "wang")
    assert wang == Member("wang", "小王", (5,), leader="lead.a", mobile="13800000000", job_number="007", position="客服")


def test_who_answers_to_whom(platform: Server) -> None:
    leader = {member.user_id: member.leader for member in fetch(api_of(platform)).members}

    assert leader["li"] == "boss", "the supervisor that the directory names"
    assert leader["self"] == "boss", "nobody is his own supervisor"
    assert (leader["lead.a"], leader["lead.a2"]) == ("boss", "boss"), "over a department without a manager"
    assert leader["boss"] is None


def test_who_never_logged_in_works_here_all_the_same(platform: Server) -> None:
    assert all(member.active for member in fetch(api_of(platform)).members)


def test_a_moments_patience_is_enough_when_the_platform_asks_for_it(platform: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("bot.dingtalk.directory.time.sleep", waited.append)
    answer, refusals = platform.answers["/topapi/v2/user/get"], iter([90018, 90018])
    platform.answers["/topapi/v2/user/get"] = lambda asked: (
        as_json({"errcode": code, "errmsg": "qps"}) if (code := next(refusals, 0)) else answer(asked)
    )

    assert len(fetch(api_of(platform)).members) == len(USERS)
    assert waited == [1.0, 1.0]


@pytest.mark.parametrize("errcode", [60011, 90018])
def test_half_a_directory_is_none(platform: Server, monkeypatch: pytest.MonkeyPatch, errcode: int) -> None:
    monkeypatch.setattr("bot.dingtalk.directory.time.sleep", lambda seconds: None)
    platform.answers["/topapi/v2/user/get"] = lambda asked: as_json({"errcode": errcode, "errmsg": "no"})

    with pytest.raises(SendFailed):
        fetch(api_of(platform))
