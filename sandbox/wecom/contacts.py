"""The directory as an application sees it, and the change_contact event.

Source: [doc 96255] user/get, [doc 96260] user/list, [doc 96067] user/list_id, [doc 90208] department/list,
[doc 90970] change_contact.
"""

from __future__ import annotations

from sandbox.company import ROOT_DEPARTMENT, Department, Person, is_visible, opaque
from sandbox.outcome import Outcome
from sandbox.store import Doc
from sandbox.wecom.api import Call, Refused
from sandbox.wecom.callback import deliver
from sandbox.world import World

MOST_IDS = 10_000
ACTIVE, LEFT = 1, 5


def user_get(call: Call) -> Doc:
    """One member of the visible range."""
    _users_may_be_read(call)
    userid = call.args.get("userid")
    if not userid:
        raise Refused(41009, "userid missing")
    person = call.world.directory.reachable("wecom", userid)
    if person is None:
        raise Refused(60111, "userid not found")
    return _user(call.world, person)


def user_list(call: Call) -> Doc:
    """Direct members of a department with all fields; nothing below it."""
    _users_may_be_read(call)
    return {"userlist": [_user(call.world, person) for person in _members(call)]}


def user_simplelist(call: Call) -> Doc:
    """Direct members, names only."""
    fields = ("userid", "name", "department", "open_userid")
    return {"userlist": [{name: _user(call.world, person)[name] for name in fields} for person in _members(call)]}


def user_list_id(call: Call) -> Doc:
    """All userids with their departments, by pages; for the contacts-sync secret only."""
    if call.role != "contacts":
        raise Refused(48002, "api forbidden")
    limit = call.body.get("limit", MOST_IDS)
    if not isinstance(limit, int) or not 1 <= limit <= MOST_IDS:
        raise Refused(40058, f"limit is 1 to {MOST_IDS}")
    cursor = str(call.body.get("cursor") or "0")
    start = int(cursor) if cursor.isdigit() else 0
    everybody = [person for person in call.world.directory if person.wecom and not person.left]
    page = everybody[start : start + limit]
    following = str(start + limit) if start + limit < len(everybody) else ""
    rows = [{"userid": person.wecom.userid, "department": person.department} for person in page if person.wecom]
    return {"next_cursor": following, "dept_user": rows}


def department_list(call: Call) -> Doc:
    """A department and everything below it, with its leaders."""
    return {"department": [_department(call.world, department) for department in _departments(call)]}


def department_simplelist(call: Call) -> Doc:
    """The same, ids only."""
    fields = ("id", "parentid", "order")
    return {"department_id": [{name: _department(call.world, each)[name] for name in fields} for each in _departments(call)]}


def contact_event(world: World, before: Person | None, after: Person) -> Outcome | None:
    """change_contact for what changed; None when the application may not know of it."""
    was, now = before is not None and is_visible(before, "wecom"), is_visible(after, "wecom")
    if not (was or now):
        return None
    account = after.wecom or (before.wecom if before else None)
    assert account is not None
    event: Doc = {
        "ToUserName": world.company.wecom.corp_id,
        "FromUserName": "sys",
        "CreateTime": int(world.clock.now().timestamp()),
        "MsgType": "event",
        "Event": "change_contact",
        "ChangeType": "delete_user" if not now else "update_user" if was else "create_user",
        "UserID": before.wecom.userid if before and before.wecom else account.userid,
    }
    return deliver(
        world, event | (_changed_fields(world, before if was else None, after) if now else {}), lambda _: "no reply is taken here"
    )


def _changed_fields(world: World, before: Person | None, after: Person) -> Doc:
    new, old = _event_fields(world, after), _event_fields(world, before) if before else {}
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    if before and before.wecom and after.wecom and before.wecom.userid != after.wecom.userid:
        changed["NewUserID"] = after.wecom.userid
    return changed


def _event_fields(world: World, person: Person) -> Doc:
    return {
        "Name": person.name,
        "Department": str(person.department),
        "MainDepartment": person.department,
        "IsLeaderInDept": "1" if person.leader else "0",
        "DirectLeader": world.directory.userid(person.supervisor, "wecom") or "",
        "Position": person.position,
        "Status": LEFT if person.left else ACTIVE,
    }


def _users_may_be_read(call: Call) -> None:
    if call.role == "contacts" and not call.world.switches.on("wecom.contacts_secret_reads_users"):
        raise Refused(48002, "api forbidden")


def _user(world: World, person: Person) -> Doc:
    assert person.wecom is not None
    leader = world.directory.userid(person.supervisor, "wecom")
    sensitive = (
        {"mobile": person.mobile, "gender": "0", "email": "", "avatar": ""} if world.switches.on("wecom.sensitive_fields") else {}
    )
    return {
        "userid": person.wecom.userid,
        "name": person.name,
        "department": [person.department],
        "order": [0],
        "position": person.position,
        "is_leader_in_dept": [int(person.leader)],
        "direct_leader": [leader] if leader else [],
        "telephone": "",
        "alias": "",
        "open_userid": "wo" + opaque(world.company.wecom.corp_id, person.wecom.userid),
        "main_department": person.department,
        "status": ACTIVE,
        "extattr": {"attrs": []},
        **sensitive,
    }


def _members(call: Call) -> list[Person]:
    wanted = call.args.get("department_id", "")
    if not wanted.isdigit() or int(wanted) not in call.world.directory.departments:
        raise Refused(60003, "department not found")
    return [person for person in call.world.directory.visible("wecom") if person.department == int(wanted)]


def _departments(call: Call) -> list[Department]:
    directory, wanted = call.world.directory, call.args.get("id") or str(ROOT_DEPARTMENT)
    if not wanted.isdigit() or int(wanted) not in directory.departments:
        raise Refused(60123, "invalid department id")
    return [directory.departments[each] for each in directory.subtree(int(wanted))]


def _department(world: World, department: Department) -> Doc:
    leaders = [person.wecom.userid for person in world.directory.visible("wecom")
               if person.leader and person.department == department.id and person.wecom]  # fmt: skip
    order = 100_000_000 - department.id
    parent = department.parent or 0
    return {
        "id": department.id,
        "name": department.name,
        "name_en": "",
        "department_leader": leaders,
        "parentid": parent,
        "order": order,
    }
