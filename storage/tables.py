"""The tables. They never leave this room: other rooms see the frozen records of `rules/`.

Instants named *_at are business time in UTC. `lease_until` and `retry_at` are seconds of the database's own clock (`db_now`).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from storage.columns import UtcDateTime


def in_state(table: FromClause, *states: str) -> ColumnElement[bool]:
    """`state IN (…)` with the values written out, so that a partial index with the same condition can serve it: neither database looks
    behind a parameter when it plans."""
    return table.c.state.in_([literal_column(f"'{state}'") for state in states])


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

people = Table(
    "people",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(128), nullable=False, unique=True),
    Column("name", String(128), nullable=False),
    Column("department", String(255), nullable=False),
    Column("position", String(128), nullable=False),
    Column("role", String(128), nullable=False),
    Column("mobile", String(32), nullable=False),
    Column("supervisor", Integer, ForeignKey("people.id"), index=True),
    Column("hrbp", Integer, ForeignKey("people.id"), index=True),
    Column("left_at", UtcDateTime),
)

accounts = Table(
    "accounts",
    metadata,
    Column("platform", String(16), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    Column("person", Integer, ForeignKey("people.id"), nullable=False, index=True),
    Column("used_at", UtcDateTime),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("source", String(16), nullable=False),
    Column("platform", String(16)),
    Column("state", String(16), nullable=False),
    Column("author", Integer, ForeignKey("people.id"), nullable=False),
    Column("subject", Integer, ForeignKey("people.id"), nullable=False),
    Column("kind", String(16)),
    Column("occasion", Text, nullable=False),
    Column("scene", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("impact", Text, nullable=False),
    Column("offered", JSON, nullable=False),
    Column("ticks", JSON, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("given_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
)
Index("ix_feedback_subject_state", feedback.c.subject, feedback.c.state)
Index("ix_feedback_author_created", feedback.c.author, feedback.c.created_at)
Index("ix_feedback_subject_given", feedback.c.subject, feedback.c.given_at)
_draft = in_state(feedback, "draft")
Index("ix_feedback_draft_expires", feedback.c.expires_at, sqlite_where=_draft, postgresql_where=_draft)
# Drafts that ended as drafts.
never_given = in_state(feedback, "expired", "withdrawn") & feedback.c.given_at.is_(None)
Index("ix_feedback_never_given", feedback.c.closed_at, sqlite_where=never_given, postgresql_where=never_given)

loops = Table(
    "loops",
    metadata,
    Column("feedback", Integer, ForeignKey("feedback.id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("steps_taken", Integer, nullable=False),
    Column("due_at", UtcDateTime),
    Column("chain", JSON, nullable=False),
    Column("round", Integer, nullable=False),
    Column("escalated_at", UtcDateTime),
    Column("nudged_at", UtcDateTime),
    Column("taken_at", UtcDateTime),
    Column("taken_by", Integer, ForeignKey("people.id")),
    # How due_at was counted in working hours: by the calendar with this mark.
    Column("counted_from", UtcDateTime),
    Column("counted_s", Float),
    Column("counted_by", String(16)),
    # When advancing it failed last; None since it went well.
    Column("failed_at", UtcDateTime),
)
_waiting = in_state(loops, "waiting")
Index("ix_loops_due", loops.c.due_at, sqlite_where=_waiting, postgresql_where=_waiting)
_counted = loops.c.counted_by.is_not(None)
Index("ix_loops_counted_by", loops.c.counted_by, loops.c.feedback, sqlite_where=_counted, postgresql_where=_counted)
_failed = loops.c.failed_at.is_not(None)
Index("ix_loops_failed_at", loops.c.failed_at, sqlite_where=_failed, postgresql_where=_failed)

history = Table(
    "history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("about", String(64), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("person", Integer, ForeignKey("people.id")),
    Column("what", String(64), nullable=False),
    Column("reason", String(64)),
    Column("words", Text),
)

prompts = Table(
    "prompts",
    metadata,
    Column("person", Integer, ForeignKey("people.id"), primary_key=True),
    Column("feedback", Integer, ForeignKey("feedback.id"), nullable=False),
    Column("answer", String(16), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

sentences = Table(
    "sentences",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("author", Integer, ForeignKey("people.id"), nullable=False),
    # None while it is not known who is meant.
    Column("feedback", Integer, ForeignKey("feedback.id"), index=True),
    Column("text", Text, nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
Index("ix_sentences_author_until", sentences.c.author, sentences.c.until)

# Whom else a draft in words is about than its subject, in the order in which they were named; `record` is what each of them got.
companions = Table(
    "companions",
    metadata,
    Column("draft", Integer, ForeignKey("feedback.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("person", Integer, ForeignKey("people.id"), nullable=False),
    Column("record", Integer, ForeignKey("feedback.id"), unique=True),
)

# Drafts that a configured endpoint has not been asked about yet.
hints = Table("hints", metadata, Column("feedback", Integer, ForeignKey("feedback.id"), primary_key=True))

away = Table(
    "away",
    metadata,
    Column("person", Integer, ForeignKey("people.id"), primary_key=True),
    Column("held_until", UtcDateTime),
    Column("stand_in", Integer, ForeignKey("people.id")),
    Column("stand_in_from", UtcDateTime),
    Column("stand_in_until", UtcDateTime),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Integer, primary_key=True),
    # None while no record is known for it.
    Column("feedback", Integer, ForeignKey("feedback.id"), index=True),
    Column("by", Integer, ForeignKey("people.id"), nullable=False),
    # None for what came through a page.
    Column("platform", String(16)),
    Column("media", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("owner", String(64)),
    Column("lease_until", Float),
    Column("retry_at", Float),
    Column("kind", String(16)),
    Column("media_type", String(64), nullable=False),
    Column("blob", String(64), index=True),
    Column("thumbnail", String(64), index=True),
    Column("size_bytes", Integer, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("problem", String(32)),
)
_to_fetch = in_state(evidence, "waiting")
Index("ix_evidence_waiting", evidence.c.id, sqlite_where=_to_fetch, postgresql_where=_to_fetch)
_loose = evidence.c.feedback.is_(None)
Index("ix_evidence_loose", evidence.c.by, evidence.c.received_at, sqlite_where=_loose, postgresql_where=_loose)

inbox = Table(
    "inbox",
    metadata,
    Column("platform", String(16), primary_key=True),
    Column("event_id", String(160), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("received_at", UtcDateTime, nullable=False, index=True),
    Column("answer", JSON(none_as_null=True)),
    Column("raw", Text),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(160), nullable=False, unique=True),
    Column("card_id", String(32), nullable=False, unique=True),
    # For a change of a card already sent: that card's row.
    Column("changes", Integer, ForeignKey("outbox.id"), index=True),
    Column("person", Integer, ForeignKey("people.id")),
    Column("platform", String(16)),
    Column("address", String(128)),
    Column("grouped", Boolean, nullable=False),
    Column("card", String(64), nullable=False),
    Column("data", JSON, nullable=False),
    Column("about", String(64), index=True),
    Column("urgency", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime),
    Column("payload", JSON(none_as_null=True)),
    Column("attempts", Integer, nullable=False),
    Column("owner", String(64)),
    Column("lease_until", Float),
    Column("retry_at", Float),
    Column("sent_at", UtcDateTime),
    Column("message_id", String(255)),
    Column("handle", String(512)),
    Column("error_code", String(128)),
    Column("error_text", Text),
)
_unfinished = in_state(outbox, "due", "sending")
Index("ix_outbox_due", outbox.c.not_before, outbox.c.id, sqlite_where=_unfinished, postgresql_where=_unfinished)
Index("ix_outbox_class", outbox.c.urgency, outbox.c.not_before, outbox.c.id, sqlite_where=_unfinished, postgresql_where=_unfinished)
Index("ix_outbox_recipient", outbox.c.person, outbox.c.id, sqlite_where=_unfinished, postgresql_where=_unfinished)

_sent = in_state(outbox, "sent")
Index("ix_outbox_sent", outbox.c.person, outbox.c.sent_at, sqlite_where=_sent, postgresql_where=_sent)

preferences = Table(
    "preferences",
    metadata,
    Column("person", Integer, ForeignKey("people.id"), primary_key=True),
    Column("own_quiet", Boolean, nullable=False),
    Column("quiet_from", String(5)),
    Column("quiet_until", String(5)),
    Column("rests", Boolean),
    Column("muted", JSON, nullable=False),
)

rulings = Table(
    "rulings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message", Integer, ForeignKey("outbox.id"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("what", String(8), nullable=False),
    Column("why", String(32), nullable=False),
    Column("until", UtcDateTime),
    Column("other", Integer),
)

usage = Table(
    "usage",
    metadata,
    Column("platform", String(16), primary_key=True),
    Column("what", String(16), primary_key=True),
    # A local date, ISO.
    Column("day", String(10), primary_key=True),
    Column("shard", String(8), primary_key=True),
    Column("count", Integer, nullable=False),
)

limits = Table(
    "limits",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("free_at", Float, nullable=False),
    # When those of the last window were taken, oldest first.
    Column("taken", JSON(none_as_null=True)),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("until", Float, nullable=False),
)

# Who was told of which unanswered record, in which message; one message may tell of several.
escalations = Table(
    "escalations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message", Integer, ForeignKey("outbox.id"), nullable=False, index=True),
    Column("feedback", Integer, ForeignKey("feedback.id"), nullable=False, index=True),
    Column("reader", Integer, ForeignKey("people.id"), nullable=False),
    Column("cause", String(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
Index("ix_escalations_reader_at", escalations.c.reader, escalations.c.at)

logins = Table(
    "logins",
    metadata,
    # A digest of what stands in the link.
    Column("token", String(64), primary_key=True),
    Column("person", Integer, ForeignKey("people.id"), nullable=False),
    Column("next", String(255), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("used_at", UtcDateTime),
)

# How far forgetting has come in a table whose rows stay: every row up to this id was dealt with.
forgotten = Table(
    "forgotten",
    metadata,
    Column("what", String(16), primary_key=True),
    Column("up_to", Integer, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("slot", String(64), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

digest_rounds = Table(
    "digest_rounds",
    metadata,
    Column("week", String(8), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("done_up_to", Integer, nullable=False),
    # Halved where composing failed, so that only those go without whose own data fail.
    Column("at_once", Integer, nullable=False),
    Column("finished_at", UtcDateTime),
)

digests = Table(
    "digests",
    metadata,
    Column("id", Integer, primary_key=True),
    # "person:12", or "group:dingtalk:cid…".
    Column("whom", String(160), nullable=False),
    Column("person", Integer, ForeignKey("people.id")),
    Column("week", String(8), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("composed_at", UtcDateTime, nullable=False),
    # None for what stayed silent.
    Column("card", String(64)),
    Column("data", JSON(none_as_null=True)),
    Column("picture", String(16)),
    Column("attempts", Integer, nullable=False),
    Column("owner", String(64)),
    Column("lease_until", Float),
    UniqueConstraint("whom", "week", "kind"),
)
_to_draw = digests.c.picture == literal_column("'waiting'")
Index("ix_digests_to_draw", digests.c.id, sqlite_where=_to_draw, postgresql_where=_to_draw)

unnamed = Table(
    "unnamed",
    metadata,
    # Does not want to be named in a group's digest.
    Column("person", Integer, ForeignKey("people.id"), primary_key=True),
)

counts = Table(
    "counts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(190), nullable=False, unique=True),
    Column("person", Integer, ForeignKey("people.id"), nullable=False),
    # Counts with the same are the same achievement.
    Column("overlap", String(190), nullable=False, index=True),
    # None for an event of its own.
    Column("record", Integer, ForeignKey("feedback.id"), index=True),
    Column("rate", String(64), nullable=False),
    Column("thousandths", Integer, nullable=False),
    Column("source", String(16), nullable=False),
    # What counted it, as people read it; empty where a person stated it.
    Column("system", String(32), nullable=False),
    Column("by", Integer, ForeignKey("people.id")),
    Column("at", UtcDateTime, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
)
Index("ix_counts_person_at", counts.c.person, counts.c.at)
Index("ix_counts_person_taken_at", counts.c.person, counts.c.taken_at)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", Integer, ForeignKey("people.id"), nullable=False),
    Column("week", String(8), nullable=False),
    Column("record", Integer, ForeignKey("feedback.id")),
    # The record's version when this was booked.
    Column("seen", Integer),
    Column("rate", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("thousandths", Integer, nullable=False),
    Column("each_low_fen", Integer, nullable=False),
    Column("each_high_fen", Integer, nullable=False),
    Column("low_fen", BigInteger, nullable=False),
    Column("high_fen", BigInteger, nullable=False),
    Column("grade", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    Column("on", Date, nullable=False),
    Column("overlap", String(190), nullable=False),
    Column("words", Text, nullable=False),
    Column("reverses", Integer, ForeignKey("ledger.id"), unique=True),
    Column("reason", String(16)),
    Column("at", UtcDateTime, nullable=False),
)
Index("ix_ledger_person_week", ledger.c.person, ledger.c.week)

achievements = Table(
    "achievements",
    metadata,
    # What was achieved is counted once: the entry that has it. A struck one stays taken.
    Column("overlap", String(190), primary_key=True),
    Column("entry", Integer, ForeignKey("ledger.id"), nullable=False, unique=True),
    Column("person", Integer, ForeignKey("people.id"), nullable=False, index=True),
    Column("struck", Boolean, nullable=False),
)

contests = Table(
    "contests",
    metadata,
    Column("entry", Integer, ForeignKey("ledger.id"), primary_key=True),
    Column("person", Integer, ForeignKey("people.id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("chain", JSON, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("settled_by", Integer, ForeignKey("people.id")),
)
_contested = in_state(contests, "open")
Index("ix_contests_due", contests.c.due_at, sqlite_where=_contested, postgresql_where=_contested)
