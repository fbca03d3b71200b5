"""A platform's directory as read through its API, in words that no platform owns (A9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Department:
    """A node of the tree. `parent` is None at the top, also when the parent lies outside the app's visible range."""

    id: int
    name: str
    parent: int | None


@dataclass(frozen=True)
class Member:
    """One employee. `department_ids` has the main department first. `leader` is the user id of the resolved supervisor, None when
    the directory names none. `mobile` and `job_number` are empty where the platform hides them. `active` is False for leavers."""

    user_id: str
    name: str
    department_ids: tuple[int, ...]
    leader: str | None = None
    mobile: str = ""
    job_number: str = ""
    position: str = ""
    active: bool = True


@dataclass(frozen=True)
class Directory:
    """All departments and members that the app can see. Every member stands once."""

    departments: Mapping[int, Department]
    members: tuple[Member, ...]

    def department_of(self, member: Member) -> str:
        """The name of the member's main department; empty when it lies outside the visible range."""
        known = [self.departments[id].name for id in member.department_ids if id in self.departments]
        return known[0] if known else ""


def leader_above(
    user_id: str, department: int, departments: Mapping[int, Department], leaders: Mapping[int, Sequence[str]]
) -> str | None:
    """Who leads `department`, else the nearest department above it that is led by others. `leaders` has user ids by department.

    Who leads a department himself answers to the one above, so that two who lead it together do not answer to each other. A tree
    that goes in circles ends the search.

    Source: the platforms' own suggestion for directories that name no supervisor (wecom.md §13.3, dingtalk.md §9).
    """
    seen: set[int] = set()
    here = departments.get(department)
    while here is not None and here.id not in seen:
        seen.add(here.id)
        leading = leaders.get(here.id, ())
        if leading and user_id not in leading:
            return leading[0]
        here = None if here.parent is None else departments.get(here.parent)
    return None
