"""Errors of the control API: application/problem+json with a stable `code`."""

from __future__ import annotations

import json

from flask import Response


class Problem(Exception):
    """A request that cannot be done. `code` is stable; `detail` says what to do differently."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail

    def response(self) -> Response:
        """As RFC 9457 wants it."""
        body = {
            "type": "about:blank",
            "title": self.code.replace("-", " "),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        return Response(json.dumps(body, ensure_ascii=False), self.status, content_type="application/problem+json")
