"""A configuration that is wrong stops the start with a sentence that names file, line, key and what was expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time, timedelta
from pathlib import Path

import pytest
import yaml

from bot.settings import DEFAULTS, ConfigError, Secret, load
from rules.events import Platform
from rules.loops import StepKind
from rules.retention import Passing

SECRET = "0123456789abcdef" * 2
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ENVIRONMENT: Mapping[str, str] = {
    "SANMIAO_WEB_SECRET": SECRET,
    "WECOM_SECRET": "wecom-hush",
    "WECOM_TOKEN": "token-hush",
    "WECOM_AES_KEY": KEY,
    "DINGTALK_CLIENT_SECRET": "dingtalk-hush",
}
WECOM = "wecom:\n  enabled: true\n  corp_id: ww1\n  agent_id: 7\n"
RATE = """digests:
  rates:
    - {id: saved, version: 1, name: 退货往返, unit: 次, fen: 8000, owner: 财务部, grade: measured, valid_from: 2026-01-01}
"""
ROLE = """\
roles:
  客服:
    occasions: [上午的来电]
    behaviours:
      - {id: calm, text: 先安抚客户, kind: praise, impact: 客户没有投诉}
      - {id: cut_in, text: 打断客户, kind: improve, impact: 客户要求换人}
"""


@pytest.fixture
def own(tmp_path: Path) -> Callable[[str], Path]:
    """Write the administrator's file."""

    def write(text: str) -> Path:
        path = tmp_path / "my.yaml"
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture
def complaint(own: Callable[[str], Path]) -> Callable[..., str]:
    """What is said about a file, without the folder it lies in."""

    def say(text: str, environment: Mapping[str, str] = ENVIRONMENT) -> str:
        path = own(text)
        with pytest.raises(ConfigError) as problem:
            load(path, environment)
        return str(problem.value).replace(f"{path.parent}/", "")

    return say


def test_the_defaults_alone_are_a_valid_configuration() -> None:
    settings = load(None, ENVIRONMENT)

    assert settings.platforms == ()
    assert settings.web.public_url == "http://127.0.0.1:8080"
    assert [(stage.after, stage.kind) for stage in settings.policy().plan] == [
        (timedelta(hours=24), StepKind.REMIND),
        (timedelta(hours=48), StepKind.REMIND),
        (timedelta(hours=72), StepKind.ESCALATE),
        (timedelta(hours=96), StepKind.ESCALATE),
    ]


def test_every_key_of_the_defaults_has_a_sentence_above_it() -> None:
    lines = DEFAULTS.read_text("utf-8").splitlines()
    explained = {
        f"{section}.{key}"
        for section, keys in yaml.safe_load(DEFAULTS.read_text("utf-8")).items()
        if isinstance(keys, dict)
        for key in keys
        for number, line in enumerate(lines)
        if line.startswith(f"  {key}:") and lines[number - 1].lstrip().startswith("#")
    }

    assert {"loop.plan", "web.secret", "checkins.at", "people.fallback_hrbp"} <= explained


def test_the_own_file_is_laid_over_the_defaults(own: Callable[[str], Path]) -> None:
    settings = load(own(WECOM + ROLE + "web:\n  port: 9000\ncheckins:\n  at: '09:05'\n"), ENVIRONMENT)

    assert settings.platforms == (Platform.WECOM,)
    assert (settings.web.port, settings.web.host) == (9000, "127.0.0.1")
    assert settings.policy().checkins.at == time(9, 5)
    assert [behaviour.id for behaviour in settings.policy().libraries["客服"].behaviours] == ["calm", "cut_in"]


def test_an_empty_own_file_changes_nothing(own: Callable[[str], Path]) -> None:
    assert str(load(own("# nothing yet\n"), ENVIRONMENT).web) == str(load(None, ENVIRONMENT).web)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("web:\n  prot: 80\n", "my.yaml:2: web.prot: unknown key"),
        ("wep:\n  port: 80\n", "my.yaml:1: wep: unknown key"),
        ("web:\n  host: x\n  port: eighty\n", "my.yaml:3: web.port: "),
        ("web:\n  port: 70000\n", "my.yaml:2: web.port: "),
        ("web:\n  public_url: https://bot.example/\n", "my.yaml:2: web.public_url: "),
        ("web: 80\n", "my.yaml:1: web: "),
        ("wecom: yes\n", "my.yaml:1: wecom: "),
        ("wecom: [1]\n", "my.yaml:1: wecom: "),
        ("web:\n  80: x\n", "my.yaml:2: web.80: unknown key"),
        ("80: x\n", "my.yaml:1: 80: unknown key"),
        ("checkins:\n  at: 1030\n", "my.yaml:2: checkins.at: a time of day"),
        ("checkins:\n  at: '25:00'\n", "my.yaml:2: checkins.at: a time of day"),
        ("checkins:\n  weekdays: [1, 8]\n", "my.yaml:2: checkins.weekdays.1: "),
        ("dingtalk:\n  mode: carrier pigeon\n", "my.yaml:2: dingtalk.mode: "),
        ("sending:\n  wecom_member_per_minute: 31\n", "my.yaml:2: sending.wecom_member_per_minute: "),
        ("groups:\n  - {name: 团队, platform: feishu, chat_id: x}\n", "my.yaml:2: groups.0.platform: "),
        ("loop:\n  plan: []\n", "my.yaml:2: loop.plan: "),
        ("loop:\n  plan:\n    - {after_hours: 24, do: shout}\n", "my.yaml:3: loop.plan.0.do: "),
        ("loop:\n  plan:\n    - {after_hours: 24, do: remind}\n", "my.yaml:1: loop: plan: at least one step must be `escalate`"),
        (
            "loop:\n  plan: [{after_hours: 9, do: escalate}, {after_hours: 8, do: escalate}]\n",
            "my.yaml:1: loop: plan: after_hours must grow",
        ),
        (
            "loop:\n  plan: [{after_hours: 8, do: escalate}, {after_hours: 9, do: remind}]\n",
            "my.yaml:1: loop: plan: `remind` comes before `escalate`",
        ),
        (RATE.replace("fen: 8000", "fen: [6000, 9000]"), "my.yaml:3: digests.rates.0: fen: [low, high] for grade estimated"),
        (RATE.replace("measured", "estimated").replace("8000", "[9, 6]"), "my.yaml:3: digests.rates.0: fen: the lower end"),
        (RATE + RATE.partition("rates:\n")[2], "my.yaml:1: digests: rates: two with the same id and version"),
        ("digests:\n  leave_out: [weekly]\n", "my.yaml:2: digests.leave_out.0: "),
        (ROLE.replace("kind: praise,", "kind: praise, rate: nothing,"), "my.yaml: roles.客服: no rate nothing in digests.rates"),
        (ROLE.replace("cut_in", "calm"), "my.yaml:2: roles.客服: behaviours: two have the same id"),
        (ROLE.replace("先安抚客户", "字" * 18), "my.yaml:5: roles.客服.behaviours.0.text: "),
        (ROLE.replace("praise", "blame"), "my.yaml:5: roles.客服.behaviours.0.kind: "),
        ("wecom:\n  enabled: true\n", "my.yaml:1: wecom: enabled, but without corp_id, agent_id"),
        ("web:\n  port: [80\n", "my.yaml:3: not valid YAML"),
        ("- a list\n", "my.yaml:1: expected `key: value` lines at the top level"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(complaint: Callable[..., str], text: str, said: str) -> None:
    assert complaint(text).startswith(said)


def test_all_mistakes_are_told_at_once(complaint: Callable[..., str]) -> None:
    lines = complaint("web:\n  prot: 80\n  threads: 0\n").splitlines()

    assert [line.split(": ")[1] for line in lines] == ["web.threads", "web.prot"]


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00web")

    for path, said in ((tmp_path / "none.yaml", "none.yaml: cannot be read"), (binary, "binary.yaml: not UTF-8")):
        with pytest.raises(ConfigError, match=said):
            load(path, ENVIRONMENT)


def test_a_secret_of_a_platform_in_use_must_be_set(complaint: Callable[..., str]) -> None:
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "WECOM_SECRET"}

    said = complaint(WECOM, environment)

    assert said == "my.yaml:1: wecom.secret: is missing; set the environment variable WECOM_SECRET, or name a file as secret_file"


@pytest.mark.parametrize("token", ["${SANMIAO_COUNTS_TOKEN}", "written-into-the-file-itself-0123456789"])
def test_the_token_of_counting_systems_is_a_secret_like_any_other(complaint: Callable[..., str], token: str) -> None:
    said = complaint(f"digests:\n  counts_token: {token}\n")

    assert said.startswith("my.yaml:2: digests.counts_token: ")
    assert "written" not in said


def test_a_secret_of_a_platform_not_in_use_may_be_missing() -> None:
    assert not load(None, {"SANMIAO_WEB_SECRET": SECRET}).wecom.enabled


@pytest.mark.parametrize("name", ["WECOM_SECRET", "WECOM_TOKEN", "WECOM_AES_KEY"])
def test_an_empty_secret_is_a_missing_one(complaint: Callable[..., str], name: str) -> None:
    assert "enabled, but without" in complaint(WECOM, {**ENVIRONMENT, name: ""})


def test_a_store_for_evidence_needs_its_bucket_and_its_keys_from_outside(complaint: Callable[..., str]) -> None:
    keys = {"SANMIAO_S3_ACCESS_KEY": "hush", "SANMIAO_S3_SECRET_KEY": "hush"}

    assert complaint("s3: {enabled: true}", {**ENVIRONMENT, **keys}) == "my.yaml:1: s3: enabled, but without region, bucket"
    assert "s3.secret_key: is missing" in complaint("s3: {enabled: true}")
    assert "does not belong into this file" in complaint("s3: {enabled: true, access_key: hush}", {**ENVIRONMENT, **keys})


@pytest.mark.parametrize(("key", "days"), [("outbox_days", 29), ("usage_days", 30), ("inbox_days", 0)])
def test_what_is_still_needed_is_not_forgotten(complaint: Callable[..., str], key: str, days: int) -> None:
    assert f"retention.{key}" in complaint(f"retention: {{{key}: {days}}}")


def test_what_has_no_days_is_kept_for_ever(own: Callable[[str], Path]) -> None:
    kept = load(own("retention: {inbox_days: null}"), ENVIRONMENT).policy().retention

    assert set(kept) == set(Passing) - {Passing.INBOX}
    assert kept[Passing.OUTBOX] == timedelta(days=180)


def test_a_secret_in_the_file_itself_is_refused_and_not_repeated(complaint: Callable[..., str]) -> None:
    said = complaint(WECOM + "  secret: hush-hush\n")

    assert said.startswith("my.yaml:5: wecom.secret: a secret does not belong into this file")
    assert "hush" not in said


def test_a_secret_can_come_from_a_file_beside_the_configuration(own: Callable[[str], Path]) -> None:
    path = own(WECOM + "  secret_file: wecom.secret\n")
    (path.parent / "wecom.secret").write_text("from a file\n", "utf-8")

    assert load(path, ENVIRONMENT).wecom.secret.reveal() == "from a file"


def test_a_secret_file_that_cannot_be_read_is_told_with_its_line(complaint: Callable[..., str]) -> None:
    assert complaint(WECOM + "  secret_file: none.secret\n").startswith("my.yaml:5: wecom.secret_file: none.secret cannot be read")


def test_a_weak_or_malformed_secret_is_told_without_its_value(complaint: Callable[..., str]) -> None:
    weak = complaint("", {**ENVIRONMENT, "SANMIAO_WEB_SECRET": "weak-hush"})
    malformed = complaint(WECOM, {**ENVIRONMENT, "WECOM_AES_KEY": "short-hush"})

    assert "secret: at least 32 characters" in weak
    assert "encoding_aes_key: 43 letters and digits" in malformed
    assert "hush" not in weak + malformed


def test_a_secret_never_shows_itself(own: Callable[[str], Path]) -> None:
    settings = load(own(WECOM), ENVIRONMENT)

    shown = f"{settings} {settings!r} {settings.wecom.secret} {settings.wecom.secret!r} {settings.model_dump()}"

    assert "<secret>" in shown
    assert not [value for value in ENVIRONMENT.values() if value in shown and value != "dingtalk-hush"]
    assert settings.wecom.secret.reveal() == "wecom-hush"
    assert not Secret("")


def test_a_relative_database_path_counts_from_the_file_that_names_it(own: Callable[[str], Path]) -> None:
    path = own("database:\n  url: sqlite:///data/bot.sqlite3\n")

    settings = load(path, ENVIRONMENT)

    assert settings.database.url == f"sqlite:///{path.parent.resolve()}/data/bot.sqlite3"
    assert settings.database_kind == "SQLite"


def test_the_whole_database_url_can_come_from_the_environment(own: Callable[[str], Path]) -> None:
    url = "postgresql+psycopg://bot:hush@db/sanmiao"

    settings = load(own("database:\n  url: ${DATABASE_URL}\n"), {**ENVIRONMENT, "DATABASE_URL": url})

    assert settings.database.url == url
    assert settings.database_kind == "PostgreSQL"
