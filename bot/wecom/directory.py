"""WeCom's directory, read department by department.

Source: WeCom developer centre, "获取部门列表" (90208), "获取部门成员详情" (90201, 96260); platform notes wecom.md §13.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from bot.wecom.api import WeComApi
from rules.directory import Department, Directory, Member, leader_above

_DISABLED, _LEFT = 2, 5

Row = Mapping[str, Any]
Leaders = Mapping[int, Sequence[str]]


def fetch(api: WeComApi) -> Directory:
    """All that the app may see. Raises SendFailed when any part cannot be read: half a directory would turn people into leavers."""
    rows: Sequence[Row] = api.call("get", "department/list")["department"]
    users: dict[str, Row] = {}
    for row in rows:
        answer = api.call("get", "user/list", params={"department_id": row["id"]})
        users.update((user["userid"].lower(), user) for user in answer["userlist"])
    visible = {row["id"] for row in rows}
    departments = {row["id"]: _department(row, visible) for row in rows}
    leaders = _leaders(rows, users.values())
    return Directory(departments, tuple(_member(user, departments, leaders) for user in users.values()))


def _department(row: Row, visible: Container[int]) -> Department:
    parent = row.get("parentid")
    return Department(row["id"], row["name"], parent if parent in visible else None)


def _leaders(rows: Iterable[Row], users: Iterable[Row]) -> Leaders:
    """By department: whom the department names, then whom the members' own entries mark as leading it."""
    leaders: dict[int, list[str]] = {row["id"]: list(row.get("department_leader") or ()) for row in rows}
    for user in users:
        for department, leads in zip(user.get("department") or (), user.get("is_leader_in_dept") or (), strict=False):
            if leads and department in leaders and user["userid"] not in leaders[department]:
                leaders[department].append(user["userid"])
    return leaders


def _member(user: Row, departments: Mapping[int, Department], leaders: Leaders) -> Member:
    ids = _main_first(user)
    return Member(
        user_id=user["userid"],
        name=user["name"],
        department_ids=ids,
        leader=_direct_leader(user) or _first(leader_above(user["userid"], id, departments, leaders) for id in ids),
        mobile=user.get("mobile") or "",
        position=user.get("position") or "",
        active=user.get("status") not in (_DISABLED, _LEFT),
    )


def _main_first(user: Row) -> tuple[int, ...]:
    main = user.get("main_department")
    return tuple(sorted(user.get("department") or (), key=lambda department: department != main))


def _direct_leader(user: Row) -> str | None:
    return _first(direct for direct in user.get("direct_leader") or () if direct.lower() != user["userid"].lower())


def _first(candidates: Iterable[str | None]) -> str | None:
    return next((candidate for candidate in candidates if candidate), None)
