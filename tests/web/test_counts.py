"""POST /api/counts on a real database: who may, what comes back, and what it changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from rules.digests import DigestPolicy
from rules.value import Grade, Rate
from storage.unit import Store
from tests.builders import NOON, a_policy
from tests.web.site import Company
from web import counts

TOKEN = "t" * 32
RETURN = Rate("return", 1, "退货往返", "次", 8000, 8000, "财务部", Grade.MEASURED, date(2026, 1, 1))
EVENT = {"key": "erp-1", "person": "E011", "rate": "return", "at": "2026-09-14T10:30:00+08:00", "count": 2.5, "system": "ERP"}
Post = Callable[..., TestResponse]


@pytest.fixture
def company(store: Store, tmp_path: Path) -> Company:
    return Company(store, tmp_path, replace(a_policy(), digests=DigestPolicy(rates=(RETURN,))))


@pytest.fixture
def post(company: Company) -> Post:
    app = Flask("test", static_folder=None)
    app.register_blueprint(counts.blueprint(company.dispatcher, TOKEN))
    client = app.test_client()

    def send(*events: object, body: str | None = None, token: str = TOKEN, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = json.dumps(list(events)) if body is None else body
        return client.post("/api/counts", data=data, headers={"Authorization": f"Bearer {token}"} | named)

    return send


def counted(company: Company) -> list[str]:
    with company.store.read() as tx:
        who = [person.id for person in company.people.values()]
        return [f"{count.key} {count.count}" for count in tx.ledger.counted_since(who, NOON - timedelta(days=9), NOON)]


def test_an_event_is_taken_in_once_however_often_it_is_told(company: Company, post: Post) -> None:
    assert post(EVENT, EVENT | {"key": "erp-2"}).json == {"new": 2, "known": 0}
    assert post(EVENT).json == {"new": 0, "known": 1}
    assert post(EVENT, EVENT).json == {"new": 0, "known": 2}

    assert counted(company) == ["event:erp-1 2.5", "event:erp-2 2.5"]


@pytest.mark.parametrize("token", ["", "x" * 32, TOKEN[:-1], "é" * 32])
def test_without_the_token_nobody_tells_anything(company: Company, post: Post, token: str) -> None:
    answer = post(EVENT, token=token)

    assert (answer.status_code, answer.headers["WWW-Authenticate"].lower()) == (401, "bearer")
    assert counted(company) == []


def test_one_bad_event_keeps_all_out_and_says_which_and_why(company: Company, post: Post) -> None:
    answer = post(EVENT, EVENT | {"key": "erp-2", "person": "E999", "rate": "gold"}, EVENT | {"key": "erp-3", "at": "soon"})
    later = post(EVENT, EVENT | {"key": "erp-2", "person": "E999", "rate": "gold", "record": 7})

    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert answer.json is not None
    assert later.json is not None
    assert [(error["event"], error["field"]) for error in answer.json["errors"]] == [(2, "at")], "what cannot be read is told first"
    assert [(error["event"], error["field"]) for error in later.json["errors"]] == [(1, "person"), (1, "rate"), (1, "record")]
    assert "return" in later.json["errors"][1]["expected"]
    assert counted(company) == []


def test_a_key_never_means_two_events(company: Company, post: Post) -> None:
    post(EVENT)

    assert post(EVENT | {"count": 3}).status_code == 422
    assert post(EVENT | {"key": "a"}, EVENT | {"key": "a", "person": "E012"}).status_code == 422
    assert counted(company) == ["event:erp-1 2.5"]


def test_a_record_is_about_the_person_or_the_event_is_refused(company: Company, post: Post) -> None:
    record = company.given("E010", "E011", now=NOON - timedelta(days=1)).id

    assert post(EVENT | {"record": record, "person": "E012"}).status_code == 422
    assert post(EVENT | {"record": record}).json == {"new": 1, "known": 0}


def test_a_request_with_a_key_of_its_own_is_answered_once(company: Company, post: Post) -> None:
    first = post(EVENT, Idempotency_Key="monday")
    again = post(EVENT, Idempotency_Key="monday")
    other = post(EVENT | {"key": "erp-2"}, Idempotency_Key="monday")

    assert first.json == again.json == {"new": 1, "known": 0}
    assert other.status_code == 422
    assert counted(company) == ["event:erp-1 2.5"]


def test_a_refused_request_may_be_put_right_under_the_same_key(post: Post) -> None:
    assert post(EVENT | {"person": "E999"}, Idempotency_Key="monday").status_code == 422
    assert post(EVENT, Idempotency_Key="monday").json == {"new": 1, "known": 0}


@pytest.mark.parametrize("body", ["", "{}", "[1]", "[" * 100_000, '[{"key": NaN', "\udcff"])
def test_what_is_no_list_of_objects_is_a_bad_request(post: Post, body: str) -> None:
    assert post(body=body.encode(errors="surrogateescape")).status_code == 400


def test_too_many_at_once_are_refused(post: Post) -> None:
    assert post(*[EVENT] * 1001).status_code == 413
