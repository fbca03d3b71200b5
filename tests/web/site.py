"""The pages of a small company, with a clock, and browsers in which somebody came in."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.evidence import Keeper, Limits
from handlers import feedback
from handlers.context import Context
from handlers.dispatch import Dispatcher
from handlers.logins import link
from rules.events import Platform
from rules.feedback import Kind, Record, State
from rules.people import Entry, Person
from rules.policy import Policy
from storage.blobs import Blobs, FolderBlobs
from storage.feedback import Draft
from storage.unit import Store, Tx
from tests.builders import NOON, a_company, a_policy
from web import cards, evidence, login, pages
from web.access import Links
from web.evidence import PictureLinks
from web.sessions import Sessions
from web.site import Site

HOST = "https://bot.example"
SECRET = "s" * 32
MORE = (
    Entry("E004", "钱蓉", "人力资源部", (), position="HRBP"),
    Entry("E020", "林涛", "直播部", (), position="直播主管", supervisor="E001", hrbp="E004"),
    Entry("E021", "何静", "直播部", (), role="主播", supervisor="E020", hrbp="E004"),
    Entry("E030", "高远", "客服部", (), supervisor="E010", hrbp="E003", left=True),
)


class Company:
    """`tests.builders.COMPANY` with another team, another HRBP and a leaver; the real pages on a real database."""

    def __init__(self, store: Store, folder: Path, policy: Policy | None = None, blobs: Blobs | None = None) -> None:
        self.store, self.now = store, NOON
        self.policy = replace(policy or a_policy(), pages_url=HOST)
        with store.begin() as tx:
            a_company(tx)
            tx.people.put(MORE, NOON)
            self.people: dict[str, Person] = {person.key: person for person in tx.people.all().values()}
        self.blobs = blobs or FolderBlobs(folder)
        self.keeper = Keeper(self.blobs, Limits(200_000, 200_000, 1_000_000))
        self.dispatcher = Dispatcher(store, self.policy, lambda: self.now, frozenset(), lambda: None)
        self.pictures = PictureLinks(HOST, SECRET, lambda: self.now)
        self.links = Links(HOST, SECRET)
        self.site = Site(
            store,
            self.dispatcher,
            self.context,
            Sessions(SECRET, lambda: self.now, secure=True),
            self.pictures,
            self.keeper.kept_or_why_not,
            200_000,
            HOST,
        )

    def context(self, tx: Tx) -> Context:
        return Context(tx, self.now, self.policy)

    def app(self, **doors: login.Door) -> Flask:
        """All pages, with these login pages of platforms."""
        app = Flask("test", static_folder=None)
        app.register_blueprint(pages.blueprint(self.site))
        app.register_blueprint(login.blueprint(self.site, {Platform(name): door for name, door in doors.items()}))
        app.register_blueprint(evidence.blueprint(self.store, self.pictures, self.blobs))
        app.register_blueprint(cards.blueprint(self.store, self.links, self.pictures, self.dispatcher.handle, self.context))
        return app

    def link(self, key: str, next: str = "/me") -> str:
        """The path of a link from this person's chat."""
        path = self.dispatcher.run(lambda ctx: link(ctx, self.people[key].id, next))
        assert path is not None
        return path.removeprefix(HOST)

    def given(self, author: str, subject: str, kind: Kind = Kind.IMPROVE, now: datetime | None = None) -> Record:
        """A feedback that was given, as the check-in card or the form would give it."""
        at = now or self.now

        def give(ctx: Context) -> int:
            writer, about = self.people[author], self.people[subject]
            id = ctx.tx.feedback.open_draft(Draft(writer.id, about.id, "", (), at, at, "page"))
            draft = ctx.tx.feedback.get(id)
            told = replace(draft, scene="周一早班的退货来电", action="没有告知到账时间", impact="客户次日又来电催问")
            feedback.open_record(ctx, replace(told, state=State.OPEN, kind=kind, given_at=at), writer)
            return id

        id = self.dispatcher.run(give)
        return self.record(id)

    def record(self, id: int) -> Record:
        with self.store.read() as tx:
            return tx.feedback.get(id)

    def history(self, id: int) -> list[str]:
        with self.store.read() as tx:
            return [entry.what for entry in tx.history.of(f"feedback:{id}")]

    def change(self, id: int, state: State) -> None:
        with self.store.begin() as tx:
            tx.feedback.apply(replace(tx.feedback.get(id), state=state, closed_at=self.now))


class Browser:
    """A browser that keeps its cookies, on our own host over https."""

    def __init__(self, company: Company, app: Flask | None = None) -> None:
        self.company = company
        self.client: FlaskClient = (app or company.app()).test_client()

    def get(self, path: str, **query: str) -> TestResponse:
        return self.client.get(path.removeprefix(HOST), base_url=HOST, query_string=query or None)

    def post(self, path: str, **fields: object) -> TestResponse:
        return self.client.post(path, base_url=HOST, data=fields, content_type="multipart/form-data")

    def submit(self, page: str, path: str, **fields: object) -> TestResponse:
        """Post to `path` what the form on `page` would: with its hidden fields."""
        return self.post(path, **(hidden(self.get(page).text) | fields))

    def enter(self, key: str, next: str = "/me") -> TestResponse:
        """Come in by a link from the chat."""
        path = self.company.link(key, next)
        return self.submit(path, path)


def hidden(html: str) -> dict[str, object]:
    """The hidden fields of a page; those of its last form win."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))
