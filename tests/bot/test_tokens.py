from __future__ import annotations

import threading
import time

import pytest

from bot.channel import Failure, SendFailed
from bot.tokens import SharedToken, TokenRefused


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """Hands out tokens t1, t2, …, or refuses."""

    def __init__(self, lifetime: float = 7200.0) -> None:
        self.lifetime = lifetime
        self.handed_out = 0
        self.refusal: SendFailed | None = None

    def __call__(self) -> tuple[str, float]:
        if self.refusal:
            self.handed_out += 1
            raise self.refusal
        self.handed_out += 1
        return f"t{self.handed_out}", self.lifetime


def test_ten_threads_that_start_cold_fetch_one_token() -> None:
    fetched: list[int] = []

    def slow_fetch() -> tuple[str, float]:
        fetched.append(1)
        time.sleep(0.05)
        return "t", 7200.0

    token = SharedToken(slow_fetch)
    threads = [threading.Thread(target=token.get) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(fetched) == 1


def test_a_token_is_renewed_before_it_runs_out() -> None:
    clock, desk = Clock(), Desk(lifetime=7200.0)
    token = SharedToken(desk, clock)

    assert token.get() == "t1"
    clock.now = 6899.0
    assert token.get() == "t1"
    clock.now = 6900.0
    assert token.get() == "t2"


def test_a_token_that_has_seconds_left_is_not_fetched_again_for_every_call() -> None:
    clock, desk = Clock(), Desk(lifetime=50.0)
    token = SharedToken(desk, clock)

    for second in range(45):
        clock.now = float(second)
        token.get()

    assert desk.handed_out == 1


def test_a_refused_token_is_replaced_and_the_call_repeated_once() -> None:
    desk = Desk()
    token = SharedToken(desk)
    used: list[str] = []

    def attempt(given: str) -> str:
        used.append(given)
        if given == "t1":
            raise TokenRefused("42001")
        return "done"

    assert token.call(attempt) == "done"
    assert used == ["t1", "t2"]


def test_a_token_refused_for_ever_costs_two_tries_and_is_temporary() -> None:
    desk = Desk()
    token = SharedToken(desk)
    used: list[str] = []

    def attempt(given: str) -> str:
        used.append(given)
        raise TokenRefused("42001")

    with pytest.raises(SendFailed) as failure:
        token.call(attempt)

    assert (failure.value.kind, failure.value.code) == (Failure.TEMPORARY, "42001")
    assert used == ["t1", "t2"]


def test_a_thread_that_comes_late_with_the_old_token_does_not_throw_the_new_one_away() -> None:
    desk = Desk()
    token = SharedToken(desk)
    late = threading.Event()
    renewed = threading.Event()

    def first(given: str) -> str:
        if given == "t1":
            late.set()
            renewed.wait(5)
            raise TokenRefused("42001")
        return given

    results: list[str] = []
    thread = threading.Thread(target=lambda: results.append(token.call(first)))
    thread.start()
    late.wait(5)

    def second(given: str) -> str:
        if given == "t1":
            raise TokenRefused("42001")
        return given

    assert token.call(second) == "t2"
    renewed.set()
    thread.join(5)

    assert results == ["t2"]
    assert desk.handed_out == 2


def test_a_wrong_secret_is_not_tried_again_within_a_minute() -> None:
    clock, desk = Clock(), Desk()
    desk.refusal = SendFailed(Failure.REFUSED, "40001", "corp id and secret do not fit")
    token = SharedToken(desk, clock)

    for _ in range(100):
        with pytest.raises(SendFailed):
            token.get()
    assert desk.handed_out == 1

    clock.now = 60.0
    with pytest.raises(SendFailed):
        token.get()
    assert desk.handed_out == 2


def test_no_answer_to_the_token_request_means_that_the_message_was_surely_not_sent() -> None:
    desk = Desk()
    desk.refusal = SendFailed(Failure.UNKNOWN, "no_answer", "the request left but no answer came back")
    token = SharedToken(desk)

    with pytest.raises(SendFailed) as failure:
        token.get()

    assert failure.value.kind is Failure.TEMPORARY
