"""The control API and its description are the same thing."""

from __future__ import annotations

import re

from openapi_spec_validator import validate

from tests.sandbox.conftest import Room, specification


def test_the_document_is_valid_openapi() -> None:
    validate(specification())


def test_every_route_is_described_and_every_description_has_a_route(room: Room) -> None:
    routes = {
        (method, re.sub(r"<[^>]+>", "{}", rule.rule))
        for rule in room.sandbox.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/sandbox/")
    }

    described = {
        (method.upper(), re.sub(r"\{[^}]+\}", "{}", path)) for path, methods in specification()["paths"].items() for method in methods
    }
    assert routes == described


def test_the_document_is_served_as_json(room: Room) -> None:
    assert room.get("/openapi.json") == specification()


def test_every_doubt_names_its_reading_and_its_source(room: Room) -> None:
    doubts = room.get("/doubts")["doubts"]

    assert {doubt["switch"] for doubt in doubts if doubt["switch"]} == set(room.get("/settings")["switches"])
    assert all(doubt["reading"] and doubt["source"] for doubt in doubts)
