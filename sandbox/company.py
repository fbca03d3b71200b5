"""The simulated company: who works there, under which ids, in which groups. Read from a YAML file, changed while it runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from sandbox.store import Store

Platform = Literal["wecom", "dingtalk"]
PLATFORMS: tuple[Platform, ...] = ("wecom", "dingtalk")
ROOT_DEPARTMENT = 1
PEOPLE = "person"


class Part(BaseModel):
    """What the company file is made of: frozen, and unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WecomApp(Part):
    """The self-built application as the WeCom console shows it."""

    corp_id: str
    agent_id: int
    secret: str
    contacts_secret: str = ""
    token: str = Field(pattern=r"^[A-Za-z0-9]{1,32}$")
    encoding_aes_key: str = Field(pattern=r"^[A-Za-z0-9]{43}$")


class DingtalkApp(Part):
    """The internal application with its robot as the DingTalk console shows it."""

    corp_id: str
    client_id: str
    client_secret: str
    robot_code: str


class Department(Part):
    """A department; the root has id 1 and no parent on both platforms."""

    id: int
    name: str
    parent: int | None = None


class Account(Part):
    """One person on one platform. `visible`: inside the application's visible range."""

    userid: str
    visible: bool = True


class Person(Part):
    """One human being, who may be on both platforms."""

    key: str
    name: str
    department: int
    position: str = ""
    supervisor: str | None = None
    leader: bool = False
    mobile: str = ""
    wecom: Account | None = None
    dingtalk: Account | None = None
    left: bool = False

    def account(self, platform: Platform) -> Account | None:
        """The account, or None when the person is not there."""
        return self.wecom if platform == "wecom" else self.dingtalk


class Group(Part):
    """A group chat. WeCom groups of an application are created through the API; these exist from the start."""

    key: str
    name: str
    platform: Platform
    chat_id: str
    members: tuple[str, ...]
    robot_in: bool = True


class Phone(Part):
    """A phone that the page shows first."""

    person: str
    platform: Platform


class Company(Part):
    """The whole file."""

    wecom: WecomApp
    dingtalk: DingtalkApp
    departments: tuple[Department, ...]
    people: tuple[Person, ...]
    groups: tuple[Group, ...] = ()
    phones: tuple[Phone, ...] = ()


def read_company(path: Path) -> Company:
    """The company of a YAML file. Raises pydantic.ValidationError naming what is wrong."""
    return Company.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


class Directory:
    """The people as they are now: the file, and above it what was changed while the sandbox ran."""

    def __init__(self, company: Company, store: Store) -> None:
        self._company, self._store = company, store
        self._people: dict[str, Person] = {}
        self.departments = {department.id: department for department in company.departments}
        self.reload()

    def reload(self) -> None:
        """Read the file's people again, then the kept changes."""
        people = {person.key: person for person in self._company.people}
        people.update((key, Person.model_validate(doc)) for key, doc in self._store.all(PEOPLE))
        self._people = people

    def __iter__(self) -> Iterator[Person]:
        return iter(list(self._people.values()))

    def get(self, key: str) -> Person | None:
        """By key of the company file."""
        return self._people.get(key)

    def change(self, key: str, changes: dict[str, Any]) -> tuple[Person | None, Person]:
        """Apply named properties to a known person or let a new one join; (before, after).

        Raises pydantic.ValidationError or ValueError when the result is not a person of this company.
        """
        before = self._people.get(key)
        after = Person.model_validate({**(before.model_dump() if before else {}), **changes, "key": key})
        if after.department not in self.departments:
            raise ValueError(f"department {after.department} does not exist")
        for platform in PLATFORMS:
            account = after.account(platform)
            taken = self.by_userid(platform, account.userid) if account else None
            if taken is not None and taken.key != key:
                raise ValueError(f"{platform} userid belongs to {taken.key}")
        self._store.put(PEOPLE, key, after.model_dump())
        self._people = {**self._people, key: after}
        return before, after

    def by_userid(self, platform: Platform, userid: str) -> Person | None:
        """By platform id. WeCom compares without case [doc 90195], DingTalk exactly."""
        for person in self:
            account = person.account(platform)
            if account and (account.userid == userid or (platform == "wecom" and account.userid.lower() == userid.lower())):
                return person
        return None

    def reachable(self, platform: Platform, userid: str) -> Person | None:
        """By platform id, only when the person works here and is inside the app's visible range."""
        person = self.by_userid(platform, userid)
        return person if person and is_visible(person, platform) else None

    def visible(self, platform: Platform) -> list[Person]:
        """Everybody inside the visible range who has not left."""
        return [person for person in self if is_visible(person, platform)]

    def userid(self, key: str | None, platform: Platform) -> str | None:
        """The platform id of a person key, None when not there (or not visible, or left)."""
        person = self._people.get(key) if key else None
        account = person.account(platform) if person and is_visible(person, platform) else None
        return account.userid if account else None

    def children(self, department: int) -> list[Department]:
        """Direct sub-departments, in file order."""
        return [each for each in self.departments.values() if each.parent == department]

    def subtree(self, department: int) -> list[int]:
        """The department and everything below it."""
        return [department, *(below for child in self.children(department) for below in self.subtree(child.id))]


def is_visible(person: Person, platform: Platform) -> bool:
    """Whether the application may see and message this person."""
    account = person.account(platform)
    return account is not None and account.visible and not person.left


def opaque(*parts: str) -> str:
    """A stable id that says nothing, as the platforms' unionId and encrypted sender ids."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]
