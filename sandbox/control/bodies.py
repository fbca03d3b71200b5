"""What the control API is asked: bodies and query values, checked; anything else is a Problem with status 400."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sandbox.company import Account, Platform
from sandbox.problems import Problem

LARGEST_PICTURE = 20 * 1024 * 1024


class Body(BaseModel):
    """A request body: unknown properties are mistakes."""

    model_config = ConfigDict(extra="forbid")


class SayBody(Body):
    person: str
    text: str | None = None
    picture: str | None = None
    file_name: str = "picture.png"
    mention_bot: bool = False


class TapBody(Body):
    person: str
    platform: Platform
    button: str | None = None
    submit: bool = False
    menu: str | None = None
    ticked: list[str] | None = None
    fields: dict[str, Any] = Field(default_factory=dict)
    selects: dict[str, str] = Field(default_factory=dict)
    force: bool = False


class PersonBody(Body):
    person: str


class PersonChange(Body):
    name: str = ""
    department: int = 0
    position: str = ""
    supervisor: str | None = None
    leader: bool = False
    mobile: str = ""
    wecom: Account | None = None
    dingtalk: Account | None = None
    left: bool = False


class ClockBody(Body):
    advance_seconds: float | None = None
    set: str | None = None
    freeze: bool | None = None
    to: str | None = Field(default=None, pattern="^next-(due|digest)$")


class SwitchesBody(Body):
    switches: dict[str, bool | int | float | str]


class WecomCallbackBody(Body):
    url: str | None


class DingtalkCallbackBody(Body):
    mode: str = Field(pattern="^(stream|http)$")
    url: str | None = None
    event_url: str | None = None
    token: str = ""
    encoding_aes_key: str = Field(default="", pattern="^([A-Za-z0-9]{43})?$")
    owner_key: str = ""


class RawBody(Body):
    platform: Platform
    variant: str
    person: str | None = None
    body: str | None = None
    key: str | None = None
    size_bytes: int | None = Field(default=None, ge=1, le=16 * 1024 * 1024)


Parsed = TypeVar("Parsed", bound=BaseModel)


def json_body() -> Any:
    try:
        return json.loads(request.get_data() or b"null")
    except ValueError as error:
        raise Problem(400, "bad-json", "the body is no JSON") from error


def body_of(kind: type[Parsed]) -> Parsed:
    found: Parsed = validated(TypeAdapter(kind), json_body())
    return found


def validated(adapter: TypeAdapter[Any], value: object) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise Problem(400, "bad-body", first_line(error)) from error


def message_body() -> tuple[SayBody, bytes | None]:
    """The body of a message, JSON or multipart, with the picture's bytes."""
    if request.mimetype == "multipart/form-data":
        part = request.files.get("picture")
        said: SayBody = validated(TypeAdapter(SayBody), request.form.to_dict())
        if part is None:
            return said, None
        return said.model_copy(update={"file_name": part.filename or said.file_name}), part.stream.read(LARGEST_PICTURE)
    said = body_of(SayBody)
    if said.picture is None:
        return said, None
    try:
        return said, base64.b64decode(said.picture, validate=True)
    except binascii.Error as error:
        raise Problem(400, "bad-picture", "picture is base64") from error


def number_of(name: str, default: int, least: int, most: int | None = None) -> int:
    try:
        value = int(request.args.get(name, default))
    except ValueError as error:
        raise Problem(400, "bad-query", f"{name} is a number") from error
    if value < least or (most is not None and value > most):
        raise Problem(400, "bad-query", f"{name} is out of range")
    return value


def seconds_of(name: str, least: float, most: float) -> float:
    try:
        value = float(request.args.get(name, least))
    except ValueError as error:
        raise Problem(400, "bad-query", f"{name} is a number") from error
    if not least <= value <= most:
        raise Problem(400, "bad-query", f"{name} is {least:g} to {most:g}")
    return value


def check_url(url: str | None) -> None:
    if url is not None and not url.startswith(("http://", "https://")):
        raise Problem(400, "bad-url", "a URL begins with http:// or https://")


def first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error).splitlines()[0]
