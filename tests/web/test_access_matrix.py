"""Who may see what (product, rule 3): every kind of person × every page, form, card link and file, by one table."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Response
from PIL import Image

from handlers.visibility import stands_in_for
from rules.away import Away, appoint, back
from rules.events import Account, Platform
from rules.evidence import MediaKind
from rules.feedback import Kind, Record, State
from rules.people import Entry
from rules.visibility import may_see
from storage.evidence import Kept
from tests.builders import NOON
from tests.web.site import Browser, Company

# E010 gave E011 a feedback. The last two are not people of the company any more, or nobody at all.
ROLES = {
    "subject": "E011",
    "author": "E010",
    "above the author": "E001",
    "HRBP in charge": "E003",
    "another supervisor": "E020",
    "colleague": "E012",
    "another HRBP": "E004",
    "stranger": "E021",
    "stand-in of the author": "E022",
    "stand-in of the HRBP": "E005",
    "stand-in of the subject": "E023",
    "leaver": "E030",
    "nobody": "",
}
STAND_INS = {"E010": "E022", "E003": "E005", "E011": "E023"}
SEE = {"subject", "author", "above the author", "HRBP in charge", "stand-in of the author", "stand-in of the HRBP"}
IN = set(ROLES) - {"leaver", "nobody"}

# Who gets a page with the record on it.
PAGES = {
    "/records/{id}": SEE,
    "/me": {"subject", "author"},
    "/open": {"subject"},
    "/team": {"author", "HRBP in charge"},
    "/write": set[str](),
    "/preferences": set[str](),
    "/desk": set[str](),
}
# Who may do what to it.
FORMS = {
    "answer": {"subject"},
    "pictures": {"subject", "author"},
    "edit": {"author"},
    "withdraw": {"author"},
    "words": {"author"},
}
REWORDED = {"scene": "周一晚班", "action": "没有核对订单就挂了电话", "impact": "客户退了两单", "addition": "补一句"}
# Whoever stands in for one of the three.
MORE = tuple(Entry(key, name, "直播部", (), supervisor="E001") for key, name in (("E022", "代一"), ("E005", "代二"), ("E023", "代三")))
WORDS = "没有告知到账时间"


# Who may see what is decided above the database; that both databases answer alike is shown by test_pages.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Case:
    """A record with a picture, and a browser for each role: with a session of that person, whoever he is."""

    def __init__(self, company: Company) -> None:
        self.company = company
        with company.store.begin() as tx:
            tx.people.put(MORE, NOON)
            company.people = {person.key: person for person in tx.people.all().values()}
            for absent, acting in STAND_INS.items():
                days = NOON - timedelta(days=1), NOON + timedelta(days=1)
                tx.away.put(appoint(Away(company.people[absent].id), company.people[acting].id, *days))
        self.record = company.given("E010", "E011", Kind.IMPROVE)
        blobs = company.blobs
        kept = Kept(MediaKind.IMAGE, "image/png", blobs.put(b"whole"), blobs.put(b"small"), 5, 4, 3)
        with company.store.begin() as tx:
            tx.evidence.add_kept(self.record.id, self.record.author, kept, NOON)
            for message in tx.outbox.about(f"feedback:{self.record.id}"):  # they have left for somebody's chat
                tx.outbox.draw(message, Account(Platform.DINGTALK, "liu_yang"), {"repeatable": True})

    def browser(self, role: str) -> Browser:
        browser = Browser(self.company)
        if ROLES[role]:
            session = Response()
            self.company.site.sessions.begin(session, self.company.people[ROLES[role]].id)
            cookie = session.headers.getlist("Set-Cookie")[0].partition(";")[0].partition("=")[2]
            browser.client.set_cookie("sanmiao", cookie, domain="bot.example", secure=True)
        return browser

    def picture(self, role: str) -> str:
        """A link to the picture that belongs to this person, made as if he might see it."""
        with self.company.store.read() as tx:
            item = tx.evidence.of(self.record.id)[0]
        return self.company.pictures._url(item, self.company.people[ROLES[role]].id, whole=True)

    def cards(self, role: str) -> list[str]:
        """The links of the cards about the record that went to this person."""
        with self.company.store.read() as tx:
            sent = [m for m in tx.outbox.about(f"feedback:{self.record.id}") if m.person == self.company.people[ROLES[role]].id]
        return [self.company.links.card(message.card_id) for message in sent]

    def state(self, state: State) -> Record:
        self.company.change(self.record.id, state)
        return self.company.record(self.record.id)


@pytest.fixture
def case(company: Company) -> Case:
    return Case(company)


@pytest.mark.parametrize("path", list(PAGES))
@pytest.mark.parametrize("role", ROLES)
def test_a_page_shows_the_record_to_those_it_is_for(case: Case, role: str, path: str) -> None:
    browser = case.browser(role)
    page = browser.get(path.format(id=case.record.id))

    assert (WORDS in page.text) == (role in PAGES[path])
    if role not in IN:
        assert page.location.startswith("/login?next=/")
    if path == "/records/{id}" and role in IN - SEE:
        assert page.status_code == 404
        assert page.text == browser.get("/records/999").text, "as if it did not exist"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("role", ROLES)
def test_a_form_works_for_those_it_is_for(case: Case, role: str, form: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (6, 4)).save(out, "PNG")
    before = case.company.history(case.record.id)
    browser = case.browser(role)
    fields = {"answer": "disputed"} if form == "answer" else {"picture": (io.BytesIO(out.getvalue()), "a.png"), **REWORDED}

    done = browser.submit("/me", f"/records/{case.record.id}/{form}", **fields)

    allowed = role in FORMS[form]
    assert (case.company.history(case.record.id) != before) == allowed
    assert (done.status_code == 303 and "/login" not in done.location) == allowed


@pytest.mark.parametrize("role", [role for role in ROLES if role != "nobody"])
def test_a_file_opens_for_those_who_may_see_its_record(case: Case, role: str) -> None:
    assert case.browser(role).get(case.picture(role)).status_code == (200 if role in SEE else 404)


@pytest.mark.parametrize("role", ROLES)
def test_pages_link_to_files_for_those_who_see_the_record_only(case: Case, role: str) -> None:
    page = case.browser(role).get(f"/records/{case.record.id}")

    assert ("/e/" in page.text) == (role in SEE)


def test_card_links_went_to_the_subject_alone_and_open_for_nobody_who_makes_one_up(case: Case) -> None:
    assert {role for role in ROLES if ROLES[role] and case.cards(role)} == {"subject"}
    link = case.cards("subject")[0]

    assert WORDS in Browser(case.company).get(link).text
    for bad in (link[:-1], link.replace("/c/", "/c/x"), "https://bot.example/c/1"):
        assert Browser(case.company).get(bad).status_code == 404


@pytest.mark.parametrize("role", ROLES)
def test_what_was_never_given_is_its_authors_alone(case: Case, role: str) -> None:
    browser = case.browser(role)
    for state in (State.DRAFT, State.NOTE, State.EXPIRED):
        with case.company.store.begin() as tx:
            tx.feedback.apply(replace(tx.feedback.get(case.record.id), state=state, given_at=None))

        for path in PAGES:
            page = browser.get(path.format(id=case.record.id))
            assert (WORDS in page.text) == (role == "author" and path == "/records/{id}"), (state, path)


@pytest.mark.parametrize("role", ROLES)
def test_what_was_withdrawn_is_gone_for_its_subject(case: Case, role: str) -> None:
    case.state(State.WITHDRAWN)

    for path in PAGES:
        page = case.browser(role).get(path.format(id=case.record.id))
        assert (WORDS in page.text) == (role in SEE - {"subject"} and path == "/records/{id}")


@pytest.mark.parametrize("role", [role for role in ROLES if role in SEE])
def test_whoever_leaves_sees_nothing_from_that_moment(case: Case, role: str) -> None:
    browser, links = case.browser(role), [case.picture(role), *case.cards(role)]
    person = case.company.people[ROLES[role]]

    with case.company.store.begin() as tx:
        tx.people.put([Entry(person.key, person.name, person.department, (), left=True)], NOON)

    for path in PAGES:
        assert browser.get(path.format(id=case.record.id)).location.startswith("/login")
    for link in links:
        assert browser.get(link).status_code == 404


@pytest.mark.parametrize("role", ["stand-in of the author", "stand-in of the HRBP"])
def test_a_stand_in_sees_nothing_any_more_when_the_other_is_back_or_has_left(case: Case, role: str) -> None:
    absent = {acting: absent for absent, acting in STAND_INS.items()}[ROLES[role]]
    entry = case.company.people[absent]
    with case.company.store.begin() as tx:
        tx.people.put([Entry(entry.key, entry.name, entry.department, (), left=True)], NOON)

    assert WORDS not in case.browser(role).get(f"/records/{case.record.id}").text

    with case.company.store.begin() as tx:
        tx.people.put([Entry(entry.key, entry.name, entry.department, ())], NOON)
        tx.away.put(back(tx.away.of(entry.id)))

    assert WORDS not in case.browser(role).get(f"/records/{case.record.id}").text


@pytest.mark.parametrize("role", [role for role in ROLES if role in IN])
def test_the_page_and_the_rule_say_the_same_in_every_state(case: Case, role: str) -> None:
    browser, person = case.browser(role), case.company.people[ROLES[role]]
    for state in State:
        record = case.state(state)
        with case.company.store.read() as tx:
            people, loop, stands_in = tx.people.all(), tx.loops.get(record.id), stands_in_for(tx, person, NOON)

        shown = browser.get(f"/records/{record.id}")

        assert (WORDS in shown.text) == may_see(person, record, people, loop, stands_in), state
