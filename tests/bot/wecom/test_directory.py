from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.channel import SendFailed
from bot.wecom.api import WeComApi
from bot.wecom.directory import fetch
from rules.directory import Department, Member
from tests.bot.server import Server, as_json, serving

DEPARTMENTS = [
    {"id": 2, "name": "华东", "department_leader": ["boss"], "parentid": 1, "order": 1},
    {"id": 5, "name": "客服一组", "department_leader": [], "parentid": 2, "order": 1},
    {"id": 6, "name": "客服二组", "department_leader": ["lead.b"], "parentid": 2, "order": 2},
]


def user(userid: str, departments: list[int], **more: Any) -> dict[str, Any]:
    leads = more.pop("leads", [0] * len(departments))
    return {"userid": userid, "name": userid.title(), "department": departments, "is_leader_in_dept": leads, "status": 1, **more}


USERS = {
    2: [user("boss", [2])],
    5: [
        user("lead.a", [5], leads=[1]),
        user("lead.a2", [5], leads=[1]),
        user("xiao.wang", [5], mobile="13800000000", position="客服"),
        user("both", [5, 6], main_department=6),
        user("gone", [5], status=5),
        user("new", [5], status=4),
    ],
    6: [user("lead.b", [6]), user("Both", [5, 6], main_department=6), user("own.boss", [6], direct_leader=["own.boss", "xiao.wang"])],
}


@pytest.fixture
def platform() -> Iterator[Server]:
    answers = {
        "/cgi-bin/gettoken": lambda asked: as_json({"errcode": 0, "access_token": "T", "expires_in": 7200}),
        "/cgi-bin/department/list": lambda asked: as_json({"errcode": 0, "department": DEPARTMENTS}),
        "/cgi-bin/user/list": lambda asked: as_json({"errcode": 0, "userlist": USERS[int(asked.query["department_id"])]}),
    }
    with serving(answers) as server:
        yield server


def test_everybody_is_listed_once_with_the_main_department_first(platform: Server) -> None:
    directory = fetch(WeComApi("ww1", "secret", platform.url))

    assert directory.departments == {2: Department(2, "华东", None), 5: Department(5, "客服一组", 2), 6: Department(6, "客服二组", 2)}
    members = {member.user_id.lower(): member for member in directory.members}
    assert len(members) == len(directory.members) == 9
    assert members["both"].department_ids == (6, 5)
    assert members["xiao.wang"] == Member("xiao.wang", "Xiao.Wang", (5,), leader="lead.a", mobile="13800000000", position="客服")


def test_who_answers_to_whom(platform: Server) -> None:
    leader = {member.user_id: member.leader for member in fetch(WeComApi("ww1", "secret", platform.url)).members}

    assert leader["own.boss"] == "xiao.wang", "the named leader, but nobody is his own"
    assert leader["Both"] == "lead.b", "of the main department"
    assert (leader["lead.a"], leader["lead.a2"], leader["lead.b"]) == ("boss", "boss", "boss"), (
        "two who lead together do not answer to each other"
    )
    assert leader["boss"] is None


def test_leavers_are_inactive_and_those_who_never_logged_in_are_not(platform: Server) -> None:
    active = {member.user_id: member.active for member in fetch(WeComApi("ww1", "secret", platform.url)).members}

    assert (active["gone"], active["new"], active["xiao.wang"]) == (False, True, True)


def test_half_a_directory_is_none(platform: Server) -> None:
    platform.answers["/cgi-bin/user/list"] = lambda asked: as_json(
        {"errcode": 60011, "errmsg": "no privilege"} if asked.query["department_id"] == "6" else {"errcode": 0, "userlist": []}
    )

    with pytest.raises(SendFailed):
        fetch(WeComApi("ww1", "secret", platform.url))
