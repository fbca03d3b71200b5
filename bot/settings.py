"""config.yaml → frozen settings. What is wrong stops the start with a message that names file, line, key and what was expected.

The defaults are `config.yaml` of the project itself, so that the documented value is the real one. A user's file is laid over it.
Secrets come as `${ENV}` or from `<key>_file`, never as a value in the file; a `Secret` never prints itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from bot.calendar import FollowedCalendar, own_days
from bot.yaml_file import ConfigError as ConfigError
from bot.yaml_file import YamlFile, located, read
from cards.words import industries
from rules import policy
from rules.budgets import Budget, Per, What
from rules.digests import DigestPolicy
from rules.digests import Kind as DigestKind
from rules.events import Platform
from rules.evidence import EvidencePolicy as EvidenceRules
from rules.evidence import Wanted
from rules.feedback import Behaviour, Kind
from rules.loops import Stage, StepKind
from rules.manners import Manners, Quiet
from rules.messages import GroupChat, Urgency
from rules.policy import Checkins, Library, Policy
from rules.retention import Passing, Retention
from rules.value import Grade, Rate
from rules.worktime import Counting

_GATHER = timedelta(seconds=2)  # a few transactions of the same tick; not felt by who gets it
DEFAULTS = Path(__file__).resolve().parent.parent / "config.yaml"
_ENV = re.compile(r"^\$\{([A-Z][A-Z0-9_]*)\}$")


class Secret:
    """A value that never shows itself: not in a repr, not in a log, not in an error."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the one call that needs it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__


def _secret(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return Secret(value)
    raise ValueError("a text")


def _clock_time(value: object) -> time | None:
    if value in ("", None):
        return None
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError('a time of day as "HH:MM" in quotation marks')
    return time.fromisoformat(value)


SecretValue = Annotated[Secret, BeforeValidator(_secret)]
ClockTime = Annotated[time | None, BeforeValidator(_clock_time)]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^/\s]+(/.*)?[^/]$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, strict=False)


class Database(_Section):
    url: str = Field(min_length=1)


class Web(_Section):
    host: str
    port: int = Field(ge=0, le=65535)
    public_url: HttpUrl
    secret: SecretValue
    threads: int = Field(ge=1, le=64)

    @model_validator(mode="after")
    def _strong(self) -> Self:
        if len(self.secret.reveal()) < 32:
            raise ValueError("secret: at least 32 characters")
        return self


class DingTalk(_Section):
    enabled: bool
    client_id: str
    client_secret: SecretValue
    robot_code: str
    card_template_id: str
    mode: Literal["stream", "http"]
    event_token: SecretValue
    event_aes_key: SecretValue
    card_api_secret: SecretValue
    api_base: HttpUrl
    oapi_base: HttpUrl
    login_base: HttpUrl

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _demand(self, ("client_id", "client_secret", *(("card_api_secret",) if self.mode == "http" else ())))
        return self


class WeCom(_Section):
    enabled: bool
    corp_id: str
    agent_id: int
    secret: SecretValue
    token: SecretValue
    encoding_aes_key: SecretValue
    api_base: HttpUrl
    login_base: HttpUrl

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _demand(self, ("corp_id", "agent_id", "secret", "token", "encoding_aes_key"))
        if self.enabled and not re.fullmatch(r"[A-Za-z0-9]{43}", self.encoding_aes_key.reveal()):
            raise ValueError("encoding_aes_key: 43 letters and digits, as the admin console shows it")
        return self


class People(_Section):
    fallback_hrbp: str
    administrators: tuple[str, ...]
    sync_at: ClockTime


class PlanStep(_Section):
    after_hours: float = Field(gt=0)
    do: StepKind


class Calendar(_Section):
    work_begins: ClockTime
    work_ends: ClockTime
    file: str

    @model_validator(mode="after")
    def _a_day(self) -> Self:
        if self.work_begins is None or self.work_ends is None or self.work_begins >= self.work_ends:
            raise ValueError("work_begins and work_ends: two times of one day, the first before the second")
        return self

    def followed(self) -> FollowedCalendar:
        """Today's calendar, whenever it is asked for. Raises ConfigError when the file is wrong now."""
        assert self.work_begins is not None
        assert self.work_ends is not None
        return FollowedCalendar(Path(self.file) if self.file else None, self.work_begins, self.work_ends)


class LoopPolicy(_Section):
    hours: Counting
    plan: tuple[PlanStep, ...] = Field(min_length=1)
    extension_hours: float = Field(gt=0)
    words_within_minutes: float = Field(gt=0)
    change_minutes: float = Field(ge=0)
    snooze_hours: float = Field(gt=0, le=72)
    merge_minutes: float = Field(ge=0, le=24 * 60)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        hours = [step.after_hours for step in self.plan]
        if hours != sorted(set(hours)):
            raise ValueError("plan: after_hours must grow from step to step")
        kinds = [step.do for step in self.plan]
        if StepKind.ESCALATE not in kinds:
            raise ValueError("plan: at least one step must be `escalate`, else nobody hears of an unanswered feedback")
        if StepKind.REMIND in kinds[kinds.index(StepKind.ESCALATE) :]:
            raise ValueError("plan: `remind` comes before `escalate`")
        return self

    @property
    def between_escalations(self) -> timedelta:
        """The shortest time between two escalations of the plan; nothing when there is one only."""
        hours = [step.after_hours for step in self.plan if step.do is StepKind.ESCALATE]
        return timedelta(hours=min((later - earlier for earlier, later in pairwise(hours)), default=0))


class GatePolicy(_Section):
    insist: bool


class Llm(_Section):
    enabled: bool
    base_url: Literal[""] | HttpUrl
    model: str
    api_key: SecretValue

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _demand(self, ("base_url", "model"))
        return self


class S3(_Section):
    enabled: bool
    endpoint: Literal[""] | HttpUrl
    region: str
    bucket: str
    prefix: str
    access_key: SecretValue
    secret_key: SecretValue
    addressing: Literal["auto", "path", "virtual"]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _demand(self, ("region", "bucket", "access_key", "secret_key"))
        if self.enabled and find_spec("boto3") is None:
            raise ValueError("enabled, but the package boto3 is not installed: pip install --require-hashes -r requirements-s3.lock")
        return self


class CheckinPolicy(_Section):
    at: ClockTime
    until: ClockTime
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...]
    expires_hours: float = Field(gt=0)


class EvidencePolicy(_Section):
    folder: str = Field(min_length=1)
    minutes_before: float = Field(ge=0, le=24 * 60)
    minutes_after: float = Field(ge=0, le=24 * 60)
    praise: Wanted
    improve: Wanted
    image_mb: float = Field(gt=0, le=50)
    image_megapixels: float = Field(gt=0, le=100)
    video_mb: float = Field(gt=0, le=100)


Class = Literal["escalation", "normal", "reminder", "digest", "nudge"]


class MannersPolicy(_Section):
    quiet_from: ClockTime
    quiet_until: ClockTime
    rest_days: tuple[Class, ...]
    working_hours: tuple[Class, ...]
    urgent: tuple[Class, ...]
    daily_cap: Mapping[Class, Annotated[int, Field(ge=1)] | None]
    pause_hours: tuple[Annotated[float, Field(ge=0)], ...]
    batches_at: tuple[ClockTime, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValueError("quiet_from and quiet_until: both or neither")
        if list(self.pause_hours) != sorted(self.pause_hours):
            raise ValueError("pause_hours: nags slow down with age, so each is at least as long as the one before")
        return self

    def rules(self, patience: timedelta) -> Manners:
        """As rules want it. `patience` is how long an escalation leaves its reader."""
        quiet = Quiet(self.quiet_from, self.quiet_until) if self.quiet_from and self.quiet_until else None
        return Manners(
            quiet=quiet,
            rest=_classes(self.rest_days),
            work=_classes(self.working_hours),
            urgent=_classes(self.urgent),
            caps={Urgency[name.upper()]: most for name, most in self.daily_cap.items() if most is not None},
            pauses=tuple(timedelta(hours=hours) for hours in self.pause_hours),
            patience=patience,
            batches=tuple(hour for hour in self.batches_at if hour is not None),
        )


def _classes(names: tuple[Class, ...]) -> frozenset[Urgency]:
    return frozenset(Urgency[name.upper()] for name in names)


class BudgetRow(_Section):
    platform: Platform
    what: What
    count: int = Field(ge=1)
    per: Per
    per_head: bool = False


class Sending(_Section):
    threads: int = Field(ge=1, le=16)
    timeout_seconds: float = Field(gt=0, le=60)
    dingtalk_per_second: int = Field(ge=2)
    wecom_per_second: int = Field(ge=2)
    wecom_member_per_minute: int = Field(ge=4, le=30)
    wecom_member_per_hour: int = Field(ge=4, le=1000)
    group_per_minute: int = Field(ge=4)


class Jobs(_Section):
    tick_seconds: float = Field(gt=0, le=60)


class Group(_Section):
    name: str = Field(min_length=1)
    platform: Platform
    chat_id: str = Field(min_length=1)
    leader: str = ""


class ValueRate(_Section):
    """One version of what a unit is worth; `fen` is a number, or [low, high] for an estimate."""

    id: str = Field(pattern=r"^[a-z0-9_]{1,64}$")
    version: int = Field(ge=1)
    name: str = Field(min_length=1, max_length=12)
    unit: str = Field(min_length=1, max_length=4)
    fen: Annotated[int, Field(ge=1)] | tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
    owner: str = Field(min_length=1)
    grade: Grade
    valid_from: date
    valid_until: date | None = None
    words: tuple[Annotated[str, Field(min_length=1)], ...] = ()

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if (self.grade is Grade.ESTIMATED) != isinstance(self.fen, tuple):
            raise ValueError("fen: [low, high] for grade estimated, one number for the others")
        if isinstance(self.fen, tuple) and self.fen[0] >= self.fen[1]:
            raise ValueError("fen: the lower end comes first")
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("valid_until lies before valid_from")
        return self


class Consistency(_Section):
    """Ids of counted events: what customers were told was the same at another touchpoint, or was not."""

    same: Annotated[str, Field(pattern=r"^[a-z0-9_]{0,64}$")]
    different: Annotated[str, Field(pattern=r"^[a-z0-9_]{0,64}$")]

    @model_validator(mode="after")
    def _two(self) -> Self:
        if bool(self.same) != bool(self.different) or (self.same and self.same == self.different):
            raise ValueError("same and different: two ids, or both empty")
        return self

    @property
    def ids(self) -> tuple[str, str] | None:
        """Both of them, None where the axis is left out."""
        return (self.same, self.different) if self.same else None


class Digests(_Section):
    leave_out: tuple[DigestKind, ...]
    wordy: tuple[DigestKind, ...]
    pictures: bool
    leaders: tuple[str, ...]
    quota: int = Field(ge=0, le=20)
    nudge_at: ClockTime
    contest_hours: float = Field(gt=0)
    counts_token: SecretValue
    consistency: Consistency
    rates: tuple[ValueRate, ...]

    @model_validator(mode="after")
    def _strong(self) -> Self:
        if 0 < len(self.counts_token.reveal()) < 32:
            raise ValueError("counts_token: at least 32 characters, or empty")
        return self

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        by_key = {(rate.id, rate.version) for rate in self.rates}
        if len(by_key) < len(self.rates):
            raise ValueError("rates: two with the same id and version")
        if len({(rate.id, rate.unit) for rate in self.rates}) > len({rate.id for rate in self.rates}):
            raise ValueError("rates: versions of one rate have the same unit")
        if {rate.id for rate in self.rates} & set(self.consistency.ids or ()):
            raise ValueError("consistency: an id of rates; what is compared has no price")
        return self


class BehaviourBox(_Section):
    id: str = Field(pattern=r"^[a-z0-9_]{1,32}$")
    text: str = Field(min_length=1, max_length=17)  # what a WeCom box shows without cutting (wecom.md 6.5)
    kind: Kind
    impact: str = Field(min_length=1, max_length=60)
    rate: str = ""


class Role(_Section):
    industry: str = ""
    occasions: tuple[Annotated[str, Field(min_length=1, max_length=24)], ...] = Field(min_length=1)
    behaviours: tuple[BehaviourBox, ...] = Field(min_length=2, max_length=6)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [behaviour.id for behaviour in self.behaviours]
        if len(ids) != len(set(ids)):
            raise ValueError("behaviours: two have the same id")
        return self

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.industry and self.industry not in industries():
            raise ValueError(f"industry: one of {', '.join(sorted(industries()))}, or add it to cards/templates/_examples.yaml")
        return self


class AdminChat(_Section):
    platform: Platform
    chat_id: str = Field(min_length=1)


class Audit(_Section):
    every_minutes: float = Field(gt=0)
    chat: AdminChat | None
    heartbeat_file: str
    heartbeat_url: str


Days = Annotated[int, Field(ge=1)] | None


class RetentionPolicy(_Section):
    inbox_days: Annotated[int, Field(ge=3)] | None
    outbox_days: Annotated[int, Field(ge=30)] | None
    drafts_days: Annotated[int, Field(ge=7)] | None
    rulings_days: Days
    usage_days: Annotated[int, Field(ge=62)] | None
    logins_days: Days

    def rules(self) -> Retention:
        """As rules want it."""
        days = {what: getattr(self, f"{what}_days") for what in Passing}
        return {what: timedelta(days=count) for what, count in days.items() if count is not None}


class Demo(_Section):
    clock_file: str


class Settings(_Section):
    """Everything an administrator decides."""

    database: Database
    web: Web
    dingtalk: DingTalk
    wecom: WeCom
    people: People
    calendar: Calendar
    loop: LoopPolicy
    gate: GatePolicy
    llm: Llm
    checkins: CheckinPolicy
    evidence: EvidencePolicy
    s3: S3
    manners: MannersPolicy
    budgets: tuple[BudgetRow, ...]
    sending: Sending
    jobs: Jobs
    audit: Audit
    retention: RetentionPolicy
    digests: Digests
    groups: tuple[Group, ...]
    roles: Mapping[str, Role]
    demo: Demo

    @model_validator(mode="after")
    def _priced(self) -> Self:
        known = {rate.id for rate in self.digests.rates}
        for name, role in self.roles.items():
            unknown = next((box.rate for box in role.behaviours if box.rate and box.rate not in known), None)
            if unknown:
                raise ValueError(f"roles.{name}: no rate {unknown} in digests.rates")
        return self

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms in use, the preferred one first."""
        used = ((Platform.DINGTALK, self.dingtalk.enabled), (Platform.WECOM, self.wecom.enabled))
        return tuple(platform for platform, enabled in used if enabled)

    @property
    def database_kind(self) -> str:
        """SQLite or PostgreSQL, for people."""
        return "SQLite" if self.database.url.startswith("sqlite") else "PostgreSQL"

    def policy(self) -> Policy:
        """What rules and handlers need of it."""
        return Policy(
            plan=tuple(Stage(timedelta(hours=step.after_hours), step.do, self.loop.hours) for step in self.loop.plan),
            checkin_expires=timedelta(hours=self.checkins.expires_hours),
            extension=timedelta(hours=self.loop.extension_hours),
            words_within=timedelta(minutes=self.loop.words_within_minutes),
            libraries={name: _library(role) for name, role in self.roles.items()},
            checkins=Checkins(self.checkins.at, self.checkins.until or time.max, frozenset(self.checkins.weekdays)),
            fallback_hrbp=self.people.fallback_hrbp or None,
            insist=self.gate.insist,
            change_window=timedelta(minutes=self.loop.change_minutes),
            snooze=timedelta(hours=self.loop.snooze_hours),
            pages_url=self.web.public_url,
            retention=self.retention.rules(),
            budgets=tuple(Budget(row.platform, row.what, row.count, row.per, row.per_head) for row in self.budgets),
            admin_chat=GroupChat(self.audit.chat.platform, self.audit.chat.chat_id) if self.audit.chat else None,
            administrators=frozenset(self.people.administrators),
            manners=self.manners.rules(self.loop.between_escalations),
            merge_within=timedelta(minutes=self.loop.merge_minutes),
            gather=_GATHER,
            calendar=self.calendar.followed(),
            hints=self.llm.enabled,
            groups=tuple(_group(group) for group in self.groups),
            digests=_digests(self.digests),
            evidence=EvidenceRules(
                before=timedelta(minutes=self.evidence.minutes_before),
                after=timedelta(minutes=self.evidence.minutes_after),
                wanted={Kind.PRAISE: self.evidence.praise, Kind.IMPROVE: self.evidence.improve},
            ),
        )


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the user's file (None: the defaults alone) over the project's defaults. Raises ConfigError."""
    defaults, own = read(DEFAULTS), read(path) if path and path.resolve() != DEFAULTS else None
    merged = _laid_over(defaults.values, own.values) if own else defaults.values
    merged, problems = _with_secrets(merged, environment, (own or defaults).path.parent, enabled=_enabled_sections(merged))
    source = own or defaults
    if problems:
        raise ConfigError("\n".join(located(source, key, problem) for key, problem in problems))
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigError("\n".join(_problems(source, error))) from None
    folder = source.path.parent
    database = Database(url=_absolute(settings.database.url, folder))
    evidence = settings.evidence.model_copy(update={"folder": str((folder / settings.evidence.folder).resolve())})
    calendar = settings.calendar
    if calendar.file:
        calendar = calendar.model_copy(update={"file": str((folder / calendar.file).resolve())})
        own_days(Path(calendar.file))  # what is wrong in it stops the start as well
    audit = settings.audit
    if audit.heartbeat_file:
        audit = audit.model_copy(update={"heartbeat_file": str((folder / audit.heartbeat_file).resolve())})
    return settings.model_copy(update={"database": database, "evidence": evidence, "calendar": calendar, "audit": audit})


def _laid_over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        below = merged.get(key)
        merged[key] = _laid_over(below, value) if isinstance(below, dict) and isinstance(value, dict) and below else value
    return merged


_OPTIONAL = ("dingtalk", "wecom", "llm", "s3")


def _enabled_sections(values: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name in values if name not in _OPTIONAL or _is_enabled(values[name]))


def _is_enabled(section: object) -> bool:
    return isinstance(section, dict) and bool(section.get("enabled"))


def _with_secrets(
    values: Mapping[str, Any], environment: Mapping[str, str], folder: Path, *, enabled: frozenset[str], at: tuple[str, ...] = ()
) -> tuple[dict[str, Any], list[tuple[tuple[str, ...], str]]]:
    """Fill in `${ENV}` and `<key>_file`. A variable that is not set is a problem only where its section is in use."""
    filled: dict[str, Any] = {}
    problems: list[tuple[tuple[str, ...], str]] = []
    for key, value in values.items():
        path = (*at, key)
        if isinstance(value, dict):
            filled[key], more = _with_secrets(value, environment, folder, enabled=enabled, at=path)
            problems += more
        elif isinstance(value, str) and key.endswith("_file") and key.removesuffix("_file") in values:
            continue
        elif isinstance(values.get(f"{key}_file"), str):
            filled[key], problem = _from_file(folder / values[f"{key}_file"])
            problems += [((*at, f"{key}_file"), problem)] if problem else []
        elif isinstance(value, str) and (named := _ENV.match(value)):
            filled[key] = environment.get(named[1], "")
            if named[1] not in environment and path[0] in enabled:
                problems.append((path, f"is missing; set the environment variable {named[1]}, or name a file as {key}_file"))
        elif value and path in _SECRET_KEYS:
            problems.append((path, f"a secret does not belong into this file; write ${{NAME}}, or name a file as {key}_file"))
        else:
            filled[key] = value
    return filled, problems


def _from_file(path: Path) -> tuple[str, str | None]:
    try:
        return path.read_text("utf-8").strip(), None
    except OSError as error:
        return "", f"{path} cannot be read ({error.strerror})"


def _problems(source: YamlFile, error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_input=False, include_url=False):
        key = tuple(str(part) for part in problem["loc"])
        text = (
            "unknown key; see config.yaml of the project for those there are"
            if problem["type"] == "extra_forbidden"
            else problem["msg"]
        )
        yield located(source, key, text.removeprefix("Value error, "))


def _demand(section: DingTalk | WeCom | Llm | S3, keys: tuple[str, ...]) -> None:
    missing = [key for key in keys if section.enabled and not getattr(section, key)]
    if missing:
        raise ValueError(f"enabled, but without {', '.join(missing)}")


def _absolute(url: str, folder: Path) -> str:
    """A relative SQLite path counts from the config file's folder, so that the working directory does not matter."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url.startswith("sqlite:////"):
        return url
    path = folder / url.removeprefix(prefix)
    return f"{prefix}{path.resolve()}"


_SECTIONS: Mapping[str, type[_Section]] = {"web": Web, "dingtalk": DingTalk, "wecom": WeCom, "llm": Llm, "s3": S3, "digests": Digests}
_SECRET_KEYS = frozenset(
    (name, key) for name, section in _SECTIONS.items() for key, field in section.model_fields.items() if field.annotation is Secret
)


def _library(role: Role) -> Library:
    return Library(role.occasions, tuple(Behaviour(b.id, b.text, b.kind, b.impact, b.rate) for b in role.behaviours), role.industry)


def _group(group: Group) -> policy.Group:
    return policy.Group(group.name, GroupChat(group.platform, group.chat_id), group.leader or None)


def _digests(ours: Digests) -> DigestPolicy:
    return DigestPolicy(
        rates=tuple(map(_rate, ours.rates)),
        wordy=frozenset(ours.wordy),
        pictures=ours.pictures,
        leaders=ours.leaders,
        quota=ours.quota,
        nudge_at=ours.nudge_at or time(15),
        contest=timedelta(hours=ours.contest_hours),
        consistency=ours.consistency.ids,
        off=frozenset(ours.leave_out) | (frozenset({DigestKind.QUOTA}) if not ours.quota or ours.nudge_at is None else frozenset()),
    )


def _rate(rate: ValueRate) -> Rate:
    low, high = rate.fen if isinstance(rate.fen, tuple) else (rate.fen, rate.fen)
    return Rate(
        rate.id, rate.version, rate.name, rate.unit, low, high, rate.owner, rate.grade, rate.valid_from, rate.valid_until, rate.words
    )
