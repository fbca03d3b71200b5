"""DingTalk's directory, walked from the root department. None of these calls counts against the monthly quota.

Source: DingTalk open platform, "通讯录管理"; platform notes dingtalk.md §9.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bot.channel import SendFailed
from bot.dingtalk.api import DingTalkApi
from rules.directory import Department, Directory, Member, leader_above

_ROOT = 1
_PAGE = 100
_TRIES = 5
# Longer waits are not a rate limit but trouble: the sync is then repeated as a whole, later.
_LONGEST_WAIT = 5.0

Row = Mapping[str, Any]


def fetch(api: DingTalkApi) -> Directory:
    """All that the app may see. Raises SendFailed when any part cannot be read: half a directory would turn people into leavers."""
    rows = list(_departments(api))
    ids = {row["dept_id"] for row in rows}
    departments = {row["dept_id"]: Department(row["dept_id"], row["name"], _parent(row, ids)) for row in rows}
    leaders = {row["dept_id"]: tuple(row.get("dept_manager_userid_list") or ()) for row in rows}
    user_ids = dict.fromkeys(user_id for department in departments for user_id in _user_ids(api, department))
    users = [_ask(api, "/topapi/v2/user/get", {"userid": user_id}) for user_id in user_ids]
    return Directory(departments, tuple(_member(user, departments, leaders) for user in users))


def _departments(api: DingTalkApi) -> Iterator[Row]:
    """Every department with its managers, parents before children."""
    waiting, seen = [_ROOT], {_ROOT}
    while waiting:
        id = waiting.pop(0)
        yield _ask(api, "/topapi/v2/department/get", {"dept_id": id})
        below = [row["dept_id"] for row in _ask(api, "/topapi/v2/department/listsub", {"dept_id": id})]
        waiting.extend(child for child in below if child not in seen)
        seen.update(below)


def _user_ids(api: DingTalkApi, department: int) -> Iterator[str]:
    cursor: int | None = 0
    while cursor is not None:
        page = _ask(api, "/topapi/v2/user/list", {"dept_id": department, "cursor": cursor, "size": _PAGE})
        yield from (user["userid"] for user in page["list"])
        cursor = page["next_cursor"] if page.get("has_more") else None


def _ask(api: DingTalkApi, path: str, body: Row) -> Any:
    """The `result` of a call; waits where the platform asks for a moment's patience (20 calls a second)."""
    for _ in range(_TRIES - 1):
        try:
            return api.call_old(path, body)["result"]
        except SendFailed as failure:
            if failure.retry_after is None or failure.retry_after > _LONGEST_WAIT:
                raise
            time.sleep(failure.retry_after)
    return api.call_old(path, body)["result"]


def _parent(row: Row, visible: set[int]) -> int | None:
    parent = row.get("parent_id")
    return parent if parent in visible else None


def _member(user: Row, departments: Mapping[int, Department], leaders: Mapping[int, Sequence[str]]) -> Member:
    user_id: str = user["userid"]
    ids = tuple(id for id in user.get("dept_id_list") or () if isinstance(id, int))
    direct = user.get("manager_userid") or None
    return Member(
        user_id=user_id,
        name=user["name"],
        department_ids=ids,
        leader=direct if direct != user_id and direct else _first(leader_above(user_id, id, departments, leaders) for id in ids),
        mobile=user.get("mobile") or "",
        job_number=user.get("job_number") or "",
        position=user.get("title") or "",
    )


def _first(candidates: Iterable[str | None]) -> str | None:
    return next((candidate for candidate in candidates if candidate), None)
