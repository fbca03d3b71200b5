"""Feedback by talking (A3, A4): a sentence becomes a draft with a card that shows what was understood and asks for what is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cards.catalog import Called, Candidate, NoteText, Piece, SentenceCard, SentenceClosed, SorryText, VagueText, WhoCard
from cards.filters import local_day
from handlers import changes, feedback, several
from handlers.choices import decided
from handlers.circle import Circle, Names
from handlers.context import Context, Press, Reply, Talk
from handlers.views import about, hinted, redraw, refresh, view
from reading import commands, evaluation, hints, sentence, times
from reading.commands import Command, Intent
from rules import checkins, sentences
from rules.commands import MOST_CHOICES, Note
from rules.events import Platform
from rules.feedback import Accepted, Kind, Record, Refusal, Refused, State
from rules.messages import Urgency
from rules.people import Person
from rules.sentences import Element, Ended, LeftOut, Understood, Whom
from rules.weeks import SHANGHAI
from storage.feedback import Draft
from storage.sentences import Started

LONGEST = 2000  # characters of one feedback; what follows is cut
_SEND = re.compile(r"^(?:好的?[,，]?)?(?:发出?|发吧|发送|确认|就这样发?|可以发?|没问题)[了吧。.!！~]*$")
_DROP = re.compile(r"^(?:算了|不发了?|先不发了?|取消|不用了|不要了|作废)[吧。.!！~]*$")
NAMES_A_DATE = re.compile(r"\d\s*[月号日/-]|[一二三四五六七八九十]\s*[月号日]")
# A sentence under way takes these as its next words. Others are commands, except where they bring what is missing.
_TALK = (Intent.unknown, Intent.give_feedback, Intent.edit, Intent.reply_feedback)
_PERHAPS_TALK = (Intent.remind, Intent.snooze, Intent.metric_query, Intent.attach_evidence)
_JUDGES_SOMEBODY = 0.25  # share of judging words in talk that names somebody of one's own
_JUDGES = 0.6  # and in talk that names nobody
_SHORTEST = 4  # characters that can say something


@dataclass(frozen=True)
class _Reading:
    """A text as read: what goes into the record, and the pieces with the author's words."""

    understood: Understood
    scene: Piece | None
    action: Piece | None
    impact: Piece | None
    judges: bool


def begin(ctx: Context, author: Person, names: Names, text: str, platform: Platform) -> Reply:
    """Open a draft from a sentence about all who are named, and send its author the card. A name that fits several people is asked
    about first; who may not get feedback from him is left out, which the card says."""
    unclear = next(((mention, fits) for mention, fits in names if len(fits) > 1), None)
    if unclear is not None:
        return ask_whom(ctx, author, Whom.NAMESAKES, *unclear, text, names)
    meant = [(mention, fits[0] if fits else None) for mention, fits in names]
    addressed = sentences.addressed(meant, lambda subject: _may_write(ctx, author, subject))
    if not addressed.subjects:
        return Reply(says=SorryText(addressed.left_out[0].why, addressed.left_out[0].name))
    draft = _open_draft(ctx, author, addressed.subjects, platform)
    _write(ctx, draft, addressed.subjects, text, left_out=addressed.left_out)
    return Reply()


def _may_write(ctx: Context, author: Person, subject: Person) -> Refusal | None:
    return checkins.may_ask(author, subject, ctx.tx.people.upwards_from(subject.supervisor))


def _open_draft(ctx: Context, author: Person, subjects: Sequence[Person], platform: Platform) -> Record:
    first, *others = subjects
    draft = Draft(
        author=author.id,
        subject=first.id,
        occasion="",
        offered=(),
        created_at=ctx.now,
        expires_at=ctx.now + ctx.policy.checkin_expires,
        source="chat",
        platform=platform,
    )
    id = ctx.tx.feedback.open_draft(draft)
    ctx.tx.companions.put(id, [person.id for person in others])
    return ctx.tx.feedback.get(id)


def ask_whom(ctx: Context, author: Person, asks: Whom, mention: str, fits: tuple[Person, ...], text: str, names: Names = ()) -> Reply:
    """It is not clear who is meant: one button each. What was written waits for the answer. `names` are all whom it is about, when
    `mention` is one of several."""
    if text:
        ctx.tx.sentences.put(Started(author.id, None, text[:LONGEST], ctx.now + ctx.policy.words_within), ctx.now)
    candidates = tuple(Candidate(p.id, p.name, feedback.hint(p)) for p in fits[:MOST_CHOICES])
    all_called = tuple(Called(words, tuple(person.id for person in people)) for words, people in names) if len(names) > 1 else ()
    return Reply(says=WhoCard(mention, candidates, asks=asks, sentence=text[:LONGEST], names=all_called))


def check_in(ctx: Context, talk: Talk, mention: str, fits: tuple[Person, ...]) -> Reply:
    """Somebody was named and nothing said about him: offer the check-in card, or ask who is meant when several people fit."""
    if not fits:
        return Reply(says=SorryText(Refusal.NO_SUCH_NAME, mention))
    if len(fits) > 1:
        return ask_whom(ctx, talk.by, Whom.NAMESAKES, mention, fits, "")
    return feedback.offer(ctx, talk.by, fits[0], talk.event.by.platform)


def picked(press: Press, ctx: Context) -> Reply:
    """One of several people was chosen: on with the sentence, or with the check-in card."""
    card = WhoCard.from_data(press.card.data)
    place = next((n for n, candidate in enumerate(card.candidates, 1) if str(candidate.person) == press.argument), None)
    if place is None:
        return Reply(shows=replace(card, notice=Refusal.UNKNOWN_PERSON))
    chosen, first = card.candidates[place - 1], decided(ctx, press, place)
    if first is not None:
        return Reply(shows=replace(card, chosen=card.candidates[first - 1].name, notice=Refusal.ALREADY_CHOSEN))
    subject, platform = ctx.tx.people.get(chosen.person), press.event.by.platform
    if card.sentence:
        done = begin(ctx, press.by, _with_chosen(ctx, card, subject), card.sentence, platform)
    else:
        done = feedback.offer(ctx, press.by, subject, platform)
    return Reply(shows=replace(card, chosen=chosen.name), says=done.says)


def _with_chosen(ctx: Context, card: WhoCard, chosen: Person) -> Names:
    """Whom the sentence of a card is about, once it is chosen who `mention` is."""
    people = ctx.tx.people.some({id for called in card.names for id in called.people})
    names = tuple((called.mention, tuple(people[id] for id in called.people)) for called in card.names)
    return _narrowed(names, chosen) or ((card.mention, (chosen,)),)


def _narrowed(names: Names, chosen: Person) -> Names:
    """The names with the first unclear one meaning `chosen`; () when it cannot mean him."""
    place = next((n for n, (_, fits) in enumerate(names) if len(fits) > 1), None)
    if place is None or chosen not in names[place][1]:
        return ()
    return (*names[:place], (names[place][0], (chosen,)), *names[place + 1 :])


def unasked(talk: Talk, ctx: Context, circle: Circle) -> Reply | None:
    """Talk that asks for nothing may be a feedback all the same: it names one of the writer's people and tells or judges, or it has
    everything but a name. None when it is something else."""
    text = talk.event.text
    read, judging = sentence.read(text), evaluation.share(text)
    named = circle.with_mentioned(circle.own_row(text))
    his_own = any(circle.leads(person) for _, fits in named for person in fits)
    if his_own and (not read.generic or judging >= _JUDGES_SOMEBODY) and not commands.is_no_report(text, circle.full_names):
        return begin(ctx, talk.by, named, text, talk.event.by.platform)
    strangers = [(mention, fits[:1]) for mention, fits in circle.named_in(text) if all(person.id != talk.by.id for person in fits)]
    if strangers and read.complete:
        return begin(ctx, talk.by, tuple(strangers[:1]), text, talk.event.by.platform)  # which says that he may not
    if not circle.reports:
        return None
    if read.complete:
        return ask_whom(ctx, talk.by, Whom.NOBODY, "", neglected(ctx, circle), text)
    if judging >= _JUDGES and len(text) >= _SHORTEST:
        return Reply(says=VagueText(industry_of(ctx, circle.reports[0])))
    return None


def go_on(talk: Talk, ctx: Context, circle: Circle, command: Command) -> Reply | None:
    """What is typed while a sentence is being written: its next words, 发出, 算了, or who is meant. None when it is something else."""
    started = ctx.tx.sentences.waiting(talk.by.id, ctx.now)
    if started is None:
        return None
    if started.feedback is None:
        return _named_now(talk, ctx, circle, started)
    if command.intent is Intent.reply_feedback and ctx.tx.feedback.open_about(talk.by.id):
        return None  # he answers what was given to him
    record = ctx.tx.feedback.get(started.feedback)
    if record.state is not State.DRAFT:
        insisted = changes.insist(ctx, talk.by, record, started.text, talk.event.text) if started.text else None
        return insisted or (changes.reword(ctx, talk.by, record, talk.event.text) if command.intent in _TALK else None)
    if _DROP.match(talk.event.text) or (command.intent is Intent.withdraw and not command.slots):
        return _drop_in_words(ctx, talk.by, record)
    if _SEND.match(talk.event.text):
        return _send_in_words(ctx, talk.by, record, started.text, talk.event.by.platform)
    return _next_words(talk, ctx, circle, command, record, started.text)


def send(press: Press, ctx: Context) -> Reply:
    """发出."""
    record, kind = ctx.tx.feedback.get(press.feedback), _kind(press)
    if kind is None or _moved(ctx, press):
        return Reply(shows=view(ctx, press.card, record, ctx.tx.loops.get(record.id)))
    decision = _sent(ctx, record, kind, press.by, press.event.by.platform)
    if isinstance(decision, Refused):
        moved = _without_leavers(ctx, press.by, record, press.event.by.platform) if decision.reason is Refusal.SUBJECT_LEFT else None
        if moved is not None:
            return Reply(shows=moved)
        return Reply(shows=view(ctx, press.card, record, ctx.tx.loops.get(record.id), decision.reason))
    return Reply(shows=view(ctx, press.card, decision.record, ctx.tx.loops.get(record.id)))


def change_kind(press: Press, ctx: Context) -> Reply:
    """换成肯定 / 换成改进."""
    kind = _kind(press)
    if kind is None:
        return _unchanged(press, ctx, None)
    record = ctx.tx.feedback.get(press.feedback)
    return _decided(press, ctx, sentences.choose_kind(record, kind, press.by.id, ctx.now), "kind", kind)


def drop(press: Press, ctx: Context) -> Reply:
    """不发了."""
    record = ctx.tx.feedback.get(press.feedback)
    return _decided(press, ctx, sentences.drop(record, press.by.id, ctx.now), "dropped")


def keep(press: Press, ctx: Context) -> Reply:
    """仍要记下."""
    record = ctx.tx.feedback.get(press.feedback)
    decision = sentences.keep(record, press.by.id, ctx.now, insist=ctx.policy.insist)
    reply = _decided(press, ctx, decision, "noted")
    if isinstance(decision, Accepted) and not _moved(ctx, press):
        several.keep_others(ctx, decision.record, press.by, press.event.by.platform)
    return reply


def more(press: Press, ctx: Context) -> Reply:
    """补一句: what is typed next belongs to this draft, also when something else was begun since."""
    record, written = ctx.tx.feedback.get(press.feedback), ctx.tx.sentences.of(press.feedback)
    shown = view(ctx, press.card, record, ctx.tx.loops.get(record.id))
    if written is None or not isinstance(shown, SentenceCard):
        return Reply(shows=shown)
    ctx.tx.sentences.put(replace(written, until=ctx.now + ctx.policy.words_within), ctx.now)
    return Reply(shows=replace(shown, asked_more=True))


def neglected(ctx: Context, circle: Circle) -> tuple[Person, ...]:
    """The speaker's reports, whoever he has not mentioned for longest first."""
    reports = {person.id: person for person in circle.reports}
    order = sentences.by_neglect(tuple(reports), ctx.tx.feedback.last_mentioned(circle.by.id))
    return tuple(reports[person] for person in order)


def industry_of(ctx: Context, person: Person) -> str:
    """Where the examples for a feedback about this person come from."""
    library = ctx.policy.libraries.get(person.role)
    return library.industry if library else ""


def _named_now(talk: Talk, ctx: Context, circle: Circle, started: Started) -> Reply | None:
    """It was asked whom the sentence is about, and a name was typed instead of tapped."""
    typed = talk.event.text.removeprefix("@").strip()
    fits = circle.called(typed)
    one = ((typed, fits),) if len(fits) == 1 else ()
    names = (one and _narrowed(circle.own_row(started.text), fits[0])) or one or circle.named_alone(typed)
    if not names:
        return None
    ctx.tx.sentences.end(talk.by.id, ctx.now)
    return begin(ctx, talk.by, names, started.text, talk.event.by.platform)


def _next_words(talk: Talk, ctx: Context, circle: Circle, command: Command, record: Record, so_far: str) -> Reply | None:
    text, subjects = talk.event.text, several.subjects_of(ctx, record)
    alone, whole = sentence.read(text), sentence.read(sentences.joined(so_far, text)[:LONGEST])
    before = sentences.missing(record)
    gained = len(whole.missing) < len(before)
    if command.intent not in _TALK and not (gained and command.intent in _PERHAPS_TALK):
        return None
    if _about_another(circle, command, text, subjects) or (not alone.complete and not _says_something(alone, text, before, gained)):
        return None
    # What passes by itself is never turned back for what stood before it.
    now_text = text if alone.complete and not whole.complete else whole.text
    _write(ctx, record, subjects, now_text)
    return Reply()


def _says_something(alone: sentence.Sentence, text: str, before: tuple[sentences.Element, ...], gained: bool) -> bool:
    """Whether the next words add to the sentence: to a whole one only what tells something, to an incomplete one whatever is not
    too short."""
    if not before:
        return len(alone.missing) < len(sentences.Element)
    return gained or len(text) >= _SHORTEST


def _about_another(circle: Circle, command: Command, text: str, subjects: Sequence[Person]) -> bool:
    """Whether the next words are a new sentence, about somebody else of the writer's people."""
    own = [(mention, fits) for mention, fits in circle.named_in(text) if any(map(circle.leads, fits))]
    if not own or {person.id for person in own[0][1]} & {subject.id for subject in subjects}:
        return False
    return command.intent is Intent.give_feedback or text.lstrip("@ ").startswith(own[0][0])


def reread(ctx: Context, record: Record, text: str) -> None:
    """Somebody pointed at words that we had overlooked: store them in the draft and show them, on its card or on one in its place."""
    draft = sentences.fill(record, _read(ctx, text, hinted(ctx, record)).understood, keep_kind=True)
    ctx.tx.feedback.apply(draft)
    cards = [message for message in ctx.tx.outbox.about(about(draft.id)) if message.card == SentenceCard.template()]
    if not cards or sentences.changes_in_place(cards[-1].to):
        redraw(ctx, draft, None)
        return
    shown = view(ctx, cards[-1], draft, None)
    if isinstance(shown, SentenceCard):
        _put_card(ctx, record, shown)


def _write(
    ctx: Context,
    record: Record,
    subjects: Sequence[Person],
    text: str,
    notice: Refusal | None = None,
    left_out: tuple[LeftOut, ...] = (),
) -> None:
    """Read the text into the draft and put its card below the conversation, in place of the one before."""
    text = text[:LONGEST]
    read = _read(ctx, text, hinted(ctx, record))
    chosen = any(entry.what == "kind" for entry in ctx.tx.history.of(about(record.id)))
    draft = sentences.fill(record, read.understood, keep_kind=chosen)
    ctx.tx.feedback.apply(draft)
    ctx.tx.history.note(about(record.id), "written", ctx.now, by=record.author, words=text)
    ctx.tx.sentences.put(Started(record.author, record.id, text, ctx.now + ctx.policy.words_within), ctx.now)
    if ctx.policy.hints and sentences.missing(draft):
        ctx.tx.hints.want(record.id)
    card = SentenceCard(
        subject_name=several.called(subjects),
        kind=draft.kind,
        scene=read.scene,
        action=read.action,
        impact=read.impact,
        industry=industry_of(ctx, subjects[0]),
        judges=read.judges,
        may_keep=ctx.policy.insist,
        notice=notice,
        several=len(subjects) > 1,
        left_out=left_out,
    )
    _put_card(ctx, record, card)


def _put_card(ctx: Context, record: Record, card: SentenceCard) -> None:
    """Show the draft on a new card; `record` is its version before."""
    _close_older(ctx, record, card.subject_name)
    key = f"sentence:{record.id}:{record.version}"
    message = card.to(record.author, key=key, about=about(record.id), urgency=Urgency.ANSWER, expires=record.expires_at)
    ctx.tx.outbox.add(message, ctx.now)


def _close_older(ctx: Context, record: Record, name: str) -> None:
    """The card that was shown before is no longer the one to press; older ones say so already."""
    for message in ctx.tx.outbox.about(about(record.id))[-1:]:
        if message.card == SentenceCard.template() and not ctx.tx.outbox.cancel(message, ctx.now):
            moved = SentenceClosed(name, Ended.MOVED)
            ctx.tx.outbox.change(message, moved.template(), moved.data(), ctx.now)


def _read(ctx: Context, text: str, pointed_at: Mapping[str, str]) -> _Reading:
    """What the text says, by our rules and, where those leave something open, by words (by element) that somebody `pointed_at` and that
    still stand in it."""
    read = sentence.read(text)
    when = times.resolve(read.when, ctx.now, SHANGHAI) if read.when and read.when.grain is times.Grain.DAY else None
    spans = {element: getattr(read, element).span for element in Element} | hints.usable(read, pointed_at)
    scene, action, impact = (_piece(text, spans[element]) for element in Element)
    if scene and when and read.when and read.when.words in scene.words and not NAMES_A_DATE.search(scene.words):
        scene = replace(scene, text=f"{scene.text}（{local_day(when)}）")
    kind = None if read.kind is sentence.Kind.UNCLEAR else Kind(read.kind.value)
    understood = Understood(_text(scene), _text(action), _text(impact), kind, when)
    return _Reading(understood, scene, action, impact, read.generic)


def _text(piece: Piece | None) -> str:
    return piece.text if piece else ""


def _piece(text: str, span: sentence.Span | None) -> Piece | None:
    words = text[span.start : span.end].strip(" ，,。;；:：、\n") if span else ""
    return Piece(words, words) if words else None


def _sent(ctx: Context, record: Record, kind: Kind, by: Person, platform: Platform) -> Accepted | Refused:
    left = not all(subject.active for subject in several.subjects_of(ctx, record))
    decision = sentences.send(record, kind, by.id, ctx.now, subject_left=left)
    if isinstance(decision, Accepted):
        feedback.open_record(ctx, decision.record, by)
        several.open_others(ctx, decision.record, by, platform)
        ctx.tx.sentences.end(by.id, ctx.now)
    return decision


def _without_leavers(ctx: Context, by: Person, record: Record, platform: Platform) -> SentenceClosed | None:
    """Of several somebody has left since: the same sentence about the others, to be confirmed once more; what its old card becomes.
    None when nobody else is left."""
    subjects, written = several.subjects_of(ctx, record), ctx.tx.sentences.of(record.id)
    if written is None or not any(subject.active for subject in subjects):
        return None
    decision = sentences.drop(record, by.id, ctx.now)
    assert isinstance(decision, Accepted), "it could have been sent"
    _ended(ctx, decision.record, by, "dropped")
    begin(ctx, by, tuple((subject.name, (subject,)) for subject in subjects), written.text, platform)
    return SentenceClosed(several.called(subjects), Ended.MOVED)


def _send_in_words(ctx: Context, by: Person, record: Record, text: str, platform: Platform) -> Reply:
    """ "发出" typed instead of tapped; what is not clear enough for that is shown once more."""
    subjects = several.subjects_of(ctx, record)
    decision = _sent(ctx, record, record.kind, by, platform) if record.kind else Refused(Refusal.CHOOSE_KIND)
    if isinstance(decision, Refused):
        if decision.reason is not Refusal.SUBJECT_LEFT or _without_leavers(ctx, by, record, platform) is None:
            _write(ctx, record, subjects, text, decision.reason)
        return Reply()
    for message in ctx.tx.outbox.about(about(record.id)):
        if message.card == SentenceCard.template():
            shown = view(ctx, message, decision.record, None)
            ctx.tx.outbox.change(message, shown.template(), shown.data(), ctx.now)
    return Reply(says=NoteText(Note.SENT, several.called(subjects)))


def _drop_in_words(ctx: Context, by: Person, record: Record) -> Reply:
    name = several.called(several.subjects_of(ctx, record))
    decision = sentences.drop(record, by.id, ctx.now)
    if isinstance(decision, Refused):
        return Reply(says=SorryText(decision.reason, name))
    _ended(ctx, decision.record, by, "dropped")
    refresh(ctx, decision.record, None)
    return Reply(says=NoteText(Note.DROPPED, name))


def _decided(press: Press, ctx: Context, decision: Accepted | Refused, what: str, reason: str | None = None) -> Reply:
    """Store what a press decided about a draft; its card as it looks now."""
    if isinstance(decision, Refused) or _moved(ctx, press):
        return _unchanged(press, ctx, decision.reason if isinstance(decision, Refused) else None)
    if decision.record.state is State.DRAFT:
        ctx.tx.feedback.apply(decision.record)
        ctx.tx.history.note(about(decision.record.id), what, ctx.now, by=press.by.id, reason=reason)
    else:
        _ended(ctx, decision.record, press.by, what)
    return Reply(shows=view(ctx, press.card, decision.record, None))


def _ended(ctx: Context, record: Record, by: Person, what: str) -> None:
    ctx.tx.feedback.apply(record)
    ctx.tx.history.note(about(record.id), what, ctx.now, by=by.id)
    waiting = ctx.tx.sentences.waiting(by.id, ctx.now)
    if waiting is not None and waiting.feedback == record.id:
        ctx.tx.sentences.end(by.id, ctx.now)


def _unchanged(press: Press, ctx: Context, reason: Refusal | None) -> Reply:
    record = ctx.tx.feedback.get(press.feedback)
    return Reply(shows=view(ctx, press.card, record, ctx.tx.loops.get(record.id), reason))


def _moved(ctx: Context, press: Press) -> bool:
    """Whether the sentence goes on in a newer card than the one pressed."""
    record = ctx.tx.feedback.get(press.feedback)
    shown = view(ctx, press.card, record, ctx.tx.loops.get(record.id))
    return isinstance(shown, SentenceClosed) and shown.ended is Ended.MOVED


def _kind(press: Press) -> Kind | None:
    return Kind(press.argument) if press.argument in set(Kind) else None
