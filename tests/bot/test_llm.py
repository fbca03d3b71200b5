"""The endpoint against a real HTTP server that is good, slow, wrong, or means us ill."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from werkzeug.wrappers import Response

from bot import llm
from bot.llm import Endpoint
from tests.bot.server import Asked, Server, as_json, serving

PATH = "/v1/chat/completions"
TEXT = "小王昨天把货柜都理顺了一遍"
ALL = ("action", "impact")


def says(content: object) -> Response:
    return as_json({"choices": [{"message": {"role": "assistant", "content": content}}]})


@contextmanager
def answering(answer: Callable[[Asked], Response]) -> Iterator[tuple[Server, Endpoint]]:
    with serving({PATH: answer}) as server:
        yield server, Endpoint(f"{server.url}/v1", "small", "hush")


def test_what_it_names_comes_back_and_it_is_asked_as_the_api_wants() -> None:
    with answering(lambda asked: says('{"action": "把货柜都理顺了一遍"}')) as (server, endpoint):
        named = endpoint.ask(TEXT, ALL)

    assert named == {"action": "把货柜都理顺了一遍"}
    (asked,) = server.asked
    assert asked.headers["authorization"] == "Bearer hush"
    assert asked.json["model"] == "small"
    assert asked.json["temperature"] == 0
    system, user = asked.json["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert TEXT not in system["content"], "what people write is never among the instructions"
    assert json.loads(user["content"]) == TEXT


def test_an_endpoint_of_ones_own_needs_no_key() -> None:
    with serving({PATH: lambda asked: says("{}")}) as server:
        Endpoint(f"{server.url}/v1", "small", "").ask(TEXT, ALL)

    assert "authorization" not in server.asked[0].headers


@pytest.mark.parametrize("content", ['好的：\n```json\n{"action": "理顺了"}\n```', ' {"action": "理顺了", "verdict": true} '])
def test_words_around_the_object_do_not_matter(content: str) -> None:
    with answering(lambda asked: says(content)) as (_, endpoint):
        assert endpoint.ask(TEXT, ALL) == {"action": "理顺了"}


def test_only_what_was_asked_for_and_only_words_are_heard() -> None:
    answer = json.dumps({"scene": "昨天", "action": ["把"], "impact": {"words": "x"}, "__class__": "y"})

    with answering(lambda asked: says(answer)) as (_, endpoint):
        assert endpoint.ask(TEXT, ALL) == {}


@pytest.mark.parametrize(
    "answer",
    [
        lambda: Response("nothing to see", 200),
        lambda: Response(b"\xff\xfe\x00", 200),
        lambda: Response("[" * 60_000, 200),
        lambda: as_json([]),
        lambda: as_json({"choices": []}),
        lambda: as_json({"choices": [{"message": {"content": None}}]}),
        lambda: says("no object"),
        lambda: says("} {"),
        lambda: says('{"action": '),
        lambda: says("{" * 30_000 + "}" * 30_000),
        lambda: says('{"a": ' * 9_000 + "1" + "}" * 9_000),
        lambda: as_json({"error": "quota"}, 429),
        lambda: as_json({"error": "who are you"}, 401),
        lambda: Response("<html>", 502),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_answer(answer: Callable[[], Response]) -> None:
    with answering(lambda asked: answer()) as (_, endpoint):
        assert not endpoint.ask(TEXT, ALL)


def test_a_huge_answer_is_not_read_to_its_end() -> None:
    sent = 0

    def forever() -> Iterator[bytes]:
        nonlocal sent
        while sent < 200_000_000:
            sent += 1_000_000
            yield b" " * 1_000_000

    with answering(lambda asked: Response(forever(), 200, direct_passthrough=True)) as (_, endpoint):
        assert endpoint.ask(TEXT, ALL) is None

    assert sent < 200_000_000


def test_it_is_not_sent_elsewhere_with_our_key() -> None:
    with serving({PATH: lambda asked: says('{"action": "理顺了"}')}) as other:
        moved = Response(status=307, headers={"Location": f"{other.url}{PATH}"})
        with answering(lambda asked: moved) as (_, endpoint):
            assert endpoint.ask(TEXT, ALL) is None

    assert other.asked == []


def test_a_slow_answer_and_one_in_drops_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm, "SECONDS", 0.2)
    over = threading.Event()

    def late(asked: Asked) -> Response:
        over.wait(20)
        return says('{"action": "理顺了"}')

    def drops() -> Iterator[bytes]:
        while not over.wait(0.05):
            yield b" "

    for answer in (late, lambda asked: Response(drops(), 200, direct_passthrough=True)):
        with answering(answer) as (_, endpoint):
            try:
                assert endpoint.ask(TEXT, ALL) is None, "and the test would be over before the answer is"
                assert not over.is_set()
            finally:
                over.set()
        over.clear()


def test_nobody_there_is_no_answer() -> None:
    with serving({}) as server:
        gone = server.url

    assert Endpoint(f"{gone}/v1", "small", "").ask(TEXT, ALL) is None


def test_neither_text_nor_key_nor_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with answering(lambda asked: says("机密 no object")) as (_, endpoint):
        endpoint.ask(TEXT, ALL)

    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith(("sanmiao", "urllib3")))
    assert "no hint" in ours
    assert not any(secret in ours for secret in (TEXT, "货柜", "机密", "hush"))
