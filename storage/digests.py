"""The week's messages: which rounds are done, what was composed for whom, and the records they are about, read in bulk.

A round is one kind in one week. It goes through the people in order of their ids, some hundred in one transaction, and remembers how
far it got: a restart goes on there; a second process finds it locked. The unique key (whom, week, kind) is what makes it one message.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Row, and_, case, func, insert, or_, select, update

from rules.digests import Fact, Given, Kind, Window
from rules.feedback import Behaviour, State
from rules.feedback import Kind as FeedbackKind
from rules.loops import LoopState
from rules.messages import GroupChat, PersonId
from rules.weeks import Week
from storage.columns import db_now, seconds_between
from storage.feedback import behaviour_of
from storage.tables import digest_rounds, digests, feedback, history, in_state, loops, people, unnamed
from storage.upsert import insert_new
from storage.work import Prepared, Work

_COUNTED = tuple(state.value for state in (State.OPEN, State.ACKNOWLEDGED, State.IMPROVED, State.DISPUTED, State.CLOSED))
_ANSWERED = tuple(state.value for state in (State.ACKNOWLEDGED, State.IMPROVED, State.DISPUTED))
MOST_AT_ONCE = 128  # about a tenth of a second: a tap waits for a writing transaction on SQLite
_DAY_SECONDS = 86_400
_LONGEST_DRAFT = timedelta(days=7)
_LONGEST_LOOP = timedelta(days=28)
_STATES = {state.value: state for state in State}
_KINDS = {kind.value: kind for kind in FeedbackKind}
_ADD = Prepared(insert(digests), ("whom", "person", "week", "kind", "composed_at", "card", "data", "picture", "attempts"))
# Without the JSON columns: a week of a large company is a million rows.
_FACT = (
    feedback.c.id,
    feedback.c.version,
    feedback.c.state,
    feedback.c.author,
    feedback.c.subject,
    feedback.c.kind,
    feedback.c.action,
    feedback.c.impact,
    feedback.c.source,
    feedback.c.occurred_at,
    feedback.c.given_at,
    feedback.c.answered_at,
)


@dataclass(frozen=True)
class Round:
    """One kind in one week, the id of the last person it has dealt with, and how many it takes at once."""

    week: Week
    kind: Kind
    done_up_to: int
    at_once: int


@dataclass(frozen=True)
class Digest:
    """What was composed for a person or a group. `card` is None for what stayed silent."""

    whom: str
    person: PersonId | None
    week: Week
    kind: Kind
    composed_at: datetime
    card: str | None = None
    data: Mapping[str, Any] | None = None
    picture: str | None = None  # "waiting", "sent", or None where none is wanted
    attempts: int = 0
    id: int = 0


@dataclass(frozen=True)
class Totals:
    """Many people's week in numbers. `hours` is the mean time to an answer, None when nobody answered."""

    given: int
    praise: int
    answered: int
    answered_in_a_day: int
    improved: int
    open: int
    hours: float | None


def whom(recipient: PersonId | GroupChat) -> str:
    """The name under which a recipient's digests are kept."""
    if isinstance(recipient, GroupChat):
        return f"group:{recipient.platform}:{recipient.chat_id}"[:160]
    return f"person:{recipient}"


class DigestsTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    # -- rounds ----------------------------------------------------------------------------------------------------------------

    def next_round(self, wanted: Iterable[tuple[Week, Kind]]) -> Round | None:
        """The first of these rounds that is not finished, locked against other workers; None when all are, or another process is at
        it: rounds go one after the other, because later ones rest on earlier ones."""
        next = self.peek_round(wanted)
        return self._lock(next.week, next.kind) if next else None

    def peek_round(self, wanted: Iterable[tuple[Week, Kind]]) -> Round | None:
        """The first of these rounds that is not finished, as it stands now and without a lock; None when all are."""
        wanted = list(wanted)
        if not wanted:
            return None
        rows = self._work.execute(select(digest_rounds).where(digest_rounds.c.week.in_({str(week) for week, _ in wanted})))
        known = {(row.week, row.kind): row for row in rows}
        for week, kind in wanted:
            row = known.get((str(week), kind.value))
            if row is None:
                return Round(week, kind, 0, MOST_AT_ONCE)
            if row.finished_at is None:
                return Round(week, kind, row.done_up_to, row.at_once)
        return None

    def advance(self, round: Round, done_up_to: int) -> None:
        """Everybody up to this person has his."""
        self._update(round, done_up_to=done_up_to, at_once=min(MOST_AT_ONCE, 2 * round.at_once))

    def narrow(self, round: Round) -> None:
        """Composing failed: take fewer at once."""
        self._update(round, at_once=round.at_once // 2)

    def finish(self, round: Round, now: datetime) -> None:
        """Everybody has his."""
        self._update(round, finished_at=now)

    def finished(self, week: Week) -> frozenset[Kind]:
        """The kinds of a week that everybody has."""
        this = (digest_rounds.c.week == str(week)) & digest_rounds.c.finished_at.is_not(None)
        return frozenset(Kind(kind) for kind in self._work.execute(select(digest_rounds.c.kind).where(this)).scalars())

    # -- people, in order ------------------------------------------------------------------------------------------------------

    def employees(self, after: int, limit: int) -> tuple[PersonId, ...]:
        """The next people who work here, by id."""
        query = select(people.c.id).where(people.c.id > after, people.c.left_at.is_(None)).order_by(people.c.id).limit(limit)
        return tuple(self._work.execute(query).scalars())

    def supervisors(self, after: int, limit: int) -> tuple[PersonId, ...]:
        """The next people who lead somebody, by id."""
        return self._above(people.c.supervisor, after, limit)

    def hrbps(self, after: int, limit: int) -> tuple[PersonId, ...]:
        """The next people who are somebody's HRBP, by id."""
        return self._above(people.c.hrbp, after, limit)

    # -- digests ---------------------------------------------------------------------------------------------------------------

    def known(self, week: Week, kind: Kind, recipients: Collection[str]) -> frozenset[str]:
        """Which of these have theirs."""
        this = (digests.c.week == str(week)) & (digests.c.kind == kind.value) & digests.c.whom.in_(recipients)
        return frozenset(self._work.execute(select(digests.c.whom).where(this)).scalars())

    def add(self, composed: Sequence[Digest]) -> None:
        """Remember what was composed. Raises IntegrityError for a second of the same key."""
        rows = [
            {
                "whom": digest.whom,
                "person": digest.person,
                "week": str(digest.week),
                "kind": digest.kind.value,
                "composed_at": digest.composed_at,
                "card": digest.card,
                "data": digest.data,
                "picture": digest.picture,
                "attempts": 0,
            }
            for digest in composed
        ]
        if rows:
            self._work.run_all(_ADD, rows)

    def of(self, recipient: str, week: Week, kind: Kind) -> Digest | None:
        """What this one got in a week; None when nothing was composed."""
        this = (digests.c.whom == recipient) & (digests.c.week == str(week)) & (digests.c.kind == kind.value)
        row = self._work.execute(select(digests).where(this)).one_or_none()
        return _digest(row) if row else None

    def of_people(self, persons: Collection[PersonId], week: Week, kind: Kind) -> Mapping[PersonId, Digest]:
        """What these people got in a week, by person."""
        this = (digests.c.week == str(week)) & (digests.c.kind == kind.value)
        keys = [whom(person) for person in persons]
        rows = self._work.execute(select(digests).where(this, digests.c.whom.in_(keys)))
        return {row.person: _digest(row) for row in rows}

    def weeks_of(self, recipient: str, kind: Kind, limit: int) -> tuple[Week, ...]:
        """The weeks in which this one got something to read, newest first."""
        this = (digests.c.whom == recipient) & (digests.c.kind == kind.value) & digests.c.card.is_not(None)
        rows = self._work.execute(select(digests.c.week).where(this).order_by(digests.c.week.desc()).limit(limit))
        return tuple(Week.read(week) for week in rows.scalars())

    # -- pictures --------------------------------------------------------------------------------------------------------------

    def claim_picture(self, owner: str, lease_seconds: float) -> Digest | None:
        """The next digest that waits for its picture, now `owner`'s for a while."""
        free = or_(digests.c.lease_until.is_(None), digests.c.lease_until <= db_now())
        query = select(digests).where(digests.c.picture == "waiting", free)
        row = self._work.execute(query.order_by(digests.c.id).limit(1).with_for_update(skip_locked=True)).one_or_none()
        if row is None:
            return None
        held = {"owner": owner, "lease_until": db_now() + lease_seconds, "attempts": digests.c.attempts + 1}
        self._work.execute(update(digests).where(digests.c.id == row.id).values(**held))
        return _digest(row)

    def picture_done(self, id: int, owner: str) -> bool:
        """The message of a digest is on its way. False when somebody else has taken it over."""
        this = (digests.c.id == id) & (digests.c.owner == owner) & (digests.c.picture == "waiting")
        return self._work.execute(update(digests).where(this).values(picture="sent", lease_until=None)).rowcount == 1

    # -- not to be named in groups ---------------------------------------------------------------------------------------------

    def unnamed(self, persons: Collection[PersonId]) -> frozenset[PersonId]:
        """Which of these people do not want to be named in a group."""
        return frozenset(self._work.execute(select(unnamed.c.person).where(unnamed.c.person.in_(persons))).scalars())

    def name_in_groups(self, person: PersonId, *, wanted: bool) -> None:
        """Whether this person may be named."""
        if wanted:
            self._work.execute(unnamed.delete().where(unnamed.c.person == person))
        else:
            insert_new(self._work, unnamed, {"person": person})

    # -- what the digests are about --------------------------------------------------------------------------------------------

    def facts_about(self, subjects: Collection[PersonId], since: datetime, until: datetime) -> tuple[Fact, ...]:
        """What these people were given from `since` until `until`, oldest first; withdrawn records are left out."""
        return self._facts(feedback.c.subject.in_(subjects), Window(since, until))

    def facts_by(self, author: PersonId, window: Window) -> tuple[Fact, ...]:
        """What somebody gave, oldest first."""
        return self._facts(_given_by([author], window), window)

    def given_by(self, authors: Collection[PersonId], window: Window) -> Mapping[PersonId, Given]:
        """What these people gave, in numbers; those who gave nothing are left out. Counted by the database."""
        counted = and_(_given_by(authors, window), _in(window))
        query = select(
            feedback.c.author,
            feedback.c.subject,
            func.count(),
            _how_many(feedback.c.kind == FeedbackKind.PRAISE.value),
            _how_many(_answered_in_a_day()),
            _how_many(feedback.c.state == State.IMPROVED.value),
            _how_many(feedback.c.state == State.OPEN.value),
        ).where(counted)
        found: dict[PersonId, Given] = {}
        for author, subject, total, praise, quick, improved, waiting in self._work.execute(
            query.group_by(feedback.c.author, feedback.c.subject)
        ):
            about_one = Given(int(total), int(praise), int(quick), int(improved), int(waiting), frozenset({subject}))
            found[author] = found.get(author, Given()) + about_one
        return found

    def facts(self, ids: Collection[int]) -> tuple[Fact, ...]:
        """These records as they are now, those that count no more left out."""
        if not ids:
            return ()
        query = select(*_FACT).where(feedback.c.id.in_(ids), feedback.c.state.in_(_COUNTED)).order_by(feedback.c.id)
        return _facts(self._work.execute(query))

    def open_about(self, subjects: Collection[PersonId]) -> Mapping[PersonId, int]:
        """How many records wait for each of these people's answer; people without any are left out."""
        query = select(feedback.c.subject, func.count()).where(feedback.c.subject.in_(subjects), feedback.c.state == State.OPEN.value)
        return dict(self._work.execute(query.group_by(feedback.c.subject)).all())

    def explanations(self, ids: Collection[int]) -> Mapping[int, str]:
        """What subjects wrote after 已改进, the last of it, by record."""
        if not ids:
            return {}
        abouts = {f"feedback:{id}": id for id in ids}
        this = history.c.about.in_(abouts) & (history.c.what == "explained") & (history.c.reason == State.IMPROVED.value)
        rows = self._work.execute(select(history.c.about, history.c.words).where(this).order_by(history.c.id)).all()
        return {abouts[about]: words for about, words in rows if words}

    def ticked(self, ids: Collection[int]) -> Mapping[int, tuple[Behaviour, ...]]:
        """The behaviours that were ticked on these records' cards."""
        if not ids:
            return {}
        rows = self._work.execute(select(feedback.c.id, feedback.c.offered, feedback.c.ticks).where(feedback.c.id.in_(ids)))
        return {row.id: tuple(behaviour_of(b) for b in row.offered if b["id"] in row.ticks) for row in rows}

    def totals(self, hrbp: PersonId | None, window: Window) -> Totals:
        """The week of those an HRBP is in charge of; of everybody when None. Counted by the database."""
        query = select(
            func.count(),
            _how_many(feedback.c.kind == FeedbackKind.PRAISE.value),
            _how_many(_answered()),
            _how_many(_answered_in_a_day()),
            _how_many(feedback.c.state == State.IMPROVED.value),
            _how_many(feedback.c.state == State.OPEN.value),
            func.avg(case((_answered(), _took()))),
        ).where(_in(window), *_of_hrbp(hrbp))
        given, praise, replied, in_a_day, improved, waiting, seconds = self._work.execute(query).one()
        return Totals(
            given=int(given),
            praise=int(praise or 0),
            answered=int(replied or 0),
            answered_in_a_day=int(in_a_day or 0),
            improved=int(improved or 0),
            open=int(waiting or 0),
            hours=float(seconds) / 3600 if seconds is not None else None,
        )

    def escalations(self, hrbp: PersonId | None, window: Window) -> tuple[int, int]:
        """How many records were escalated in the window, and how many of all escalated ones nobody has settled."""
        inside = (loops.c.escalated_at >= window.since) & (loops.c.escalated_at < window.until)
        running = in_state(loops, LoopState.WAITING, LoopState.TAKEN) & loops.c.escalated_at.is_not(None)
        if hrbp is None:
            row = self._work.execute(select(_how_many(inside), _how_many(running)).where(loops.c.escalated_at.is_not(None))).one()
            return int(row[0] or 0), int(row[1] or 0)
        joined = select(func.count()).select_from(feedback.join(loops, loops.c.feedback == feedback.c.id)).where(*_of_hrbp(hrbp))
        lately = feedback.c.given_at >= window.since - _LONGEST_LOOP  # has the index; nothing is escalated for the first time later
        new = self._work.execute(joined.where(inside, lately)).scalar_one()
        stuck = self._work.execute(joined.where(feedback.c.state == State.OPEN.value, running)).scalar_one()
        return int(new), int(stuck)

    def head_count(self, hrbp: PersonId | None) -> int:
        """How many people work here; those an HRBP is in charge of unless None."""
        query = select(func.count()).select_from(people).where(people.c.left_at.is_(None))
        return int(self._work.execute(query.where(people.c.hrbp == hrbp) if hrbp is not None else query).scalar_one())

    def given_per_supervisor(self, hrbp: PersonId | None, window: Window) -> Mapping[PersonId, int]:
        """What each supervisor (of those an HRBP is in charge of) gave in the window, 0 included."""
        boss, report = people.alias("boss"), people.alias("report")
        leads = select(boss.c.id).distinct().join(report, report.c.supervisor == boss.c.id)
        leads = leads.where(boss.c.left_at.is_(None), report.c.left_at.is_(None))
        if hrbp is not None:
            leads = leads.where(boss.c.hrbp == hrbp)
        gave = dict.fromkeys(self._work.execute(leads).scalars(), 0)
        counted = select(feedback.c.author, func.count()).where(_in(window))
        if hrbp is not None:
            counted = counted.where(_given_by(gave, window))
        for author, count in self._work.execute(counted.group_by(feedback.c.author)):
            if author in gave:
                gave[author] = count
        return gave

    def _facts(self, whose: ColumnElement[bool], window: Window) -> tuple[Fact, ...]:
        query = select(*_FACT).where(whose, _in(window)).order_by(feedback.c.given_at, feedback.c.id)
        return _facts(self._work.execute(query))

    def _lock(self, week: Week, kind: Kind) -> Round | None:
        key = {"week": str(week), "kind": kind.value}
        insert_new(self._work, digest_rounds, key | {"done_up_to": 0, "at_once": MOST_AT_ONCE, "finished_at": None})
        this = (digest_rounds.c.week == key["week"]) & (digest_rounds.c.kind == key["kind"])
        query = select(digest_rounds.c.done_up_to, digest_rounds.c.at_once).where(this, digest_rounds.c.finished_at.is_(None))
        row = self._work.execute(query.with_for_update(skip_locked=True)).one_or_none()
        return Round(week, kind, row.done_up_to, row.at_once) if row else None

    def _update(self, round: Round, **values: Any) -> None:
        this = (digest_rounds.c.week == str(round.week)) & (digest_rounds.c.kind == round.kind.value)
        self._work.execute(update(digest_rounds).where(this).values(**values))

    def _above(self, link: ColumnElement[int | None], after: int, limit: int) -> tuple[PersonId, ...]:
        led = select(link).where(people.c.left_at.is_(None), link > after)
        query = select(people.c.id).where(people.c.id.in_(led), people.c.left_at.is_(None))
        return tuple(self._work.execute(query.order_by(people.c.id).limit(limit)).scalars())


def _in(window: Window) -> ColumnElement[bool]:
    counted = feedback.c.state.in_(_COUNTED)
    return and_(counted, feedback.c.given_at >= window.since, feedback.c.given_at < window.until)


def _given_by(authors: Collection[PersonId], window: Window) -> ColumnElement[bool]:
    # `created_at` has the index; nobody gives a record before it exists, and an offered one ends within days.
    return and_(feedback.c.author.in_(authors), feedback.c.created_at >= window.since - _LONGEST_DRAFT)


def _of_hrbp(hrbp: PersonId | None) -> tuple[ColumnElement[bool], ...]:
    """Records about those an HRBP is in charge of; all when None."""
    return () if hrbp is None else (feedback.c.subject.in_(select(people.c.id).where(people.c.hrbp == hrbp)),)


def _answered() -> ColumnElement[bool]:
    return feedback.c.state.in_(_ANSWERED) & feedback.c.answered_at.is_not(None)


def _took() -> ColumnElement[float]:
    return seconds_between(feedback.c.given_at, feedback.c.answered_at)


def _answered_in_a_day() -> ColumnElement[bool]:
    return and_(_answered(), _took() <= _DAY_SECONDS)


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _facts(found: CursorResult[*tuple[Any, ...]]) -> tuple[Fact, ...]:
    return tuple(
        Fact(id, version, _STATES[state], author, subject, _KINDS[kind], action, impact, source == "card", occurred, given, answered)
        for id, version, state, author, subject, kind, action, impact, source, occurred, given, answered in found.all()
    )  # all at once: row by row takes twice as long


def _digest(row: Row[Any]) -> Digest:
    return Digest(
        whom=row.whom,
        person=row.person,
        week=Week.read(row.week),
        kind=Kind(row.kind),
        composed_at=row.composed_at,
        card=row.card,
        data=row.data,
        picture=row.picture,
        attempts=row.attempts,
        id=row.id,
    )
