"""The directory (old API) and the contact events. Source: [doc query-user-details] and its neighbours.

Missing keys are left out, not null: manager_userid without a supervisor, mobile without its field scope.
"""

from __future__ import annotations

from sandbox.company import ROOT_DEPARTMENT, Department, Person, is_visible
from sandbox.dingtalk.api import Call, OldRefused
from sandbox.dingtalk.hub import DingTalk
from sandbox.dingtalk.push import push_event
from sandbox.outcome import Outcome
from sandbox.store import Doc

LARGEST_PAGE = 100
UNKNOWN_USER, UNKNOWN_DEPARTMENT, OUT_OF_SCOPE = 33012, 60003, 50002


def list_departments(call: Call) -> Doc:
    """Direct children only."""
    children = call.world.directory.children(_department(call, ROOT_DEPARTMENT).id)
    return {"result": [_department_fields(each) for each in children]}


def get_department(call: Call) -> Doc:
    """One department with its heads."""
    department = _department(call)
    heads = [person.dingtalk.userid for person in _members(call, department) if person.leader and person.dingtalk]
    return {"result": _department_fields(department) | {"dept_manager_userid_list": heads}}


def list_ids(call: Call) -> Doc:
    """userids of direct members; not limited by the contact scope."""
    department = _department(call)
    here = [person for person in call.world.directory if person.department == department.id and person.dingtalk and not person.left]
    return {"result": {"userid_list": [person.dingtalk.userid for person in here if person.dingtalk]}}


def list_users(call: Call) -> Doc:
    """Direct members by pages, without manager_userid."""
    department = _department(call)
    cursor, size = _number(call, "cursor", 0), _number(call, "size", LARGEST_PAGE)
    if not 1 <= size <= LARGEST_PAGE or cursor < 0:
        raise OldRefused(40035, f"size is 1 to {LARGEST_PAGE}")
    members = _members(call, department)
    page, following = members[cursor : cursor + size], cursor + size
    result: Doc = {"has_more": following < len(members), "list": [_listed(call.dingtalk, person) for person in page]}
    return {"result": result | ({"next_cursor": following} if result["has_more"] else {})}


def get_user(call: Call) -> Doc:
    """One member with the direct supervisor."""
    return {"result": _full(call.dingtalk, _user(call))}


def user_by_mobile(call: Call) -> Doc:
    """userid of a mobile number."""
    mobile = str(call.body.get("mobile") or "")
    person = next((each for each in call.world.directory.visible("dingtalk") if mobile and each.mobile == mobile), None)
    if person is None or person.dingtalk is None:
        raise OldRefused(60121, "找不到该用户")
    return {"result": {"userid": person.dingtalk.userid, "exclusive_account_userid_list": []}}


def user_by_union_id(call: Call) -> Doc:
    """userid of a unionid."""
    person = call.dingtalk.user(str(call.body.get("unionid") or ""), 2)
    if person is None or person.dingtalk is None:
        raise OldRefused(60121, "找不到该用户")
    return {"result": {"contact_type": 0, "userid": person.dingtalk.userid}}


def contact_event(dingtalk: DingTalk, before: Person | None, after: Person) -> Outcome | None:
    """user_add_org, user_modify_org or user_leave_org; None when the person is or was not on DingTalk."""
    was = before is not None and before.dingtalk is not None and not before.left
    now = after.dingtalk is not None and not after.left
    account = after.dingtalk or (before.dingtalk if before else None)
    if account is None or not (was or now):
        return None
    data: Doc = {"timeStamp": str(dingtalk.world.clock.epoch_ms()), "userId": [account.userid]}
    if not now:
        return push_event(dingtalk, "user_leave_org", data)
    if not was:
        return push_event(dingtalk, "user_add_org", data)
    assert before is not None
    difference = {"prev": _event_fields(dingtalk, before), "curr": _event_fields(dingtalk, after), "userid": account.userid}
    return push_event(dingtalk, "user_modify_org", data | {"diffInfo": difference})


def _event_fields(dingtalk: DingTalk, person: Person) -> Doc:
    manager = dingtalk.world.directory.userid(person.supervisor, "dingtalk")
    return {"name": person.name, "title": person.position, **({"managerUserid": manager} if manager else {})}


def _department(call: Call, default: int | None = None) -> Department:
    wanted = _number(call, "dept_id", default)
    found = call.world.directory.departments.get(wanted)
    if found is None:
        raise OldRefused(UNKNOWN_DEPARTMENT, "部门不存在")
    return found


def _number(call: Call, name: str, default: int | None) -> int:
    value = call.body.get(name, default)
    if value is None:
        raise OldRefused(40035, f"缺少参数 {name}")
    if isinstance(value, bool) or not str(value).isdigit():
        raise OldRefused(40035, f"不合法的参数 {name}")
    return int(value)


def _members(call: Call, department: Department) -> list[Person]:
    return [person for person in call.world.directory.visible("dingtalk") if person.department == department.id]


def _user(call: Call) -> Person:
    userid = call.body.get("userid")
    if not userid:
        raise OldRefused(400002, "缺少参数 userid")
    person = call.world.directory.by_userid("dingtalk", str(userid))
    if person is None or person.left:
        raise OldRefused(UNKNOWN_USER, "无效的USERID")
    if not is_visible(person, "dingtalk"):
        raise OldRefused(OUT_OF_SCOPE, "该员工不在授权范围内")
    return person


def _department_fields(department: Department) -> Doc:
    fields: Doc = {"dept_id": department.id, "name": department.name, "create_dept_group": False, "auto_add_user": False}
    return fields if department.parent is None else fields | {"parent_id": department.parent}


def _listed(dingtalk: DingTalk, person: Person) -> Doc:
    assert person.dingtalk is not None
    fields: Doc = {
        "userid": person.dingtalk.userid,
        "unionid": dingtalk.union_id(person),
        "name": person.name,
        "title": person.position,
        "job_number": person.key,
        "dept_id_list": [person.department],
        "dept_order": 1,
        "leader": person.leader,
        "active": True,
        "admin": False,
        "boss": False,
    }
    return fields | ({"mobile": person.mobile} if dingtalk.world.switches.on("dingtalk.field_scopes") and person.mobile else {})


def _full(dingtalk: DingTalk, person: Person) -> Doc:
    listed = _listed(dingtalk, person)
    del listed["leader"], listed["dept_order"]
    manager = dingtalk.world.directory.userid(person.supervisor, "dingtalk")
    filled = manager is not None and dingtalk.world.switches.on("dingtalk.managers_are_filled")
    return {
        **listed,
        "senior": False,
        "dept_order_list": [{"dept_id": person.department, "order": 1}],
        "leader_in_dept": [{"dept_id": person.department, "leader": person.leader}],
        "role_list": [],
        "exclusive_account": False,
        **({"manager_userid": manager} if filled else {}),
    }
