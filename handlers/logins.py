"""Who may open the pages (F3): by a link from the chat, or by an account that a platform vouches for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cards.catalog import GuideText
from handlers.context import Context
from rules.events import Account
from rules.messages import PersonId
from rules.people import Person
from storage.outbox import Message

START = "/me"


def link(ctx: Context, person: PersonId, next: str = START) -> str | None:
    """A link that logs this person in once, within 15 minutes, and opens the page `next`. Only for his private chat. None where
    there are no pages."""
    if not ctx.policy.pages_url:
        return None
    return f"{ctx.policy.pages_url}/in/{ctx.tx.logins.issue(person, next, ctx.now)}"


def opens_pages(message: Message) -> bool:
    """Whether a login link leaves with this message."""
    return message.card == GuideText.template() and bool(message.data["page"])


def as_it_leaves(ctx: Context, message: Message) -> Mapping[str, Any]:
    """What the message's card says as it leaves: with the link that its page is opened by, which stands nowhere before. Its quarter of
    an hour begins now; a platform that takes the message later than that gets a link that tells how to ask for another."""
    if not opens_pages(message):
        return message.data
    assert message.person is not None, "a link is for one person"
    return {**message.data, "page": link(ctx, message.person, message.data["page"])}


def by_link(ctx: Context, token: str) -> tuple[Person, str] | None:
    """Use a link up: who it lets in and the page he wants. None when it is unknown, used, too old, or his who left."""
    login = ctx.tx.logins.spend(token, ctx.now)
    person = ctx.tx.people.some({login.person}).get(login.person) if login else None
    return (person, login.next) if login and person and person.active else None


def by_account(ctx: Context, account: Account) -> Person | None:
    """Whose account a platform says this is; None for whoever is not in the directory, or left."""
    person = ctx.tx.people.find(account, ctx.now)
    return person if person and person.active else None
