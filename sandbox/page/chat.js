/** A chat on a phone: its messages, what the finger does to their cards, and the line to write in. */

import * as api from "./api.js";
import { drawMessage, picture } from "./message.js";
import { emptyDraft, faceOf, filledIn, missingField } from "./card.js";
import { el, fill, icon, oneAtATime } from "./dom.js";
import { chatTime } from "./time.js";

const NEAR_END_PX = 90;
const PAUSE_MS = 5 * 60_000; // a new time line after so long a silence
const GREY_AT_MOST_MS = 15_000; // WeCom's client lets go of a card that is never updated
const FAILED = "操作失败,请重试";
const BIGGEST_PICTURE = 10 * 1024 * 1024;

/**
 * `phone` gives {id, person, platform, world, toast(words), tell(outcome, what), tellQuietly(words), enlarge(url, words), sawEnd()}.
 * `chat` is the Chat of the control API.
 */
export class ChatView {
  #phone;
  #drawn = new Map(); // message id -> {message, node, state}
  #last = 0;
  #changed = new Set();
  #atEnd = true;
  #list = el("ol");
  #scroll = el("div.messages", { role: "log", tabIndex: 0 }, this.#list);
  #more = el("button.more", { type: "button", hidden: true, onclick: () => this.#toEnd() });
  #sizes = new ResizeObserver(() => this.#atEnd && this.#toEnd(true));
  refresh = oneAtATime(() => this.#fetchNew());

  constructor(phone, chat) {
    this.#phone = phone;
    this.chat = chat;
    this.scene = this.#scene();
    this.#scroll.setAttribute("aria-label", chat.title);
    this.#scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.element = el("div.chat", null, el("div.scroll", null, this.#scroll, this.#more), this.#composer());
    for (const each of [this.#scroll, this.#list]) this.#sizes.observe(each);
  }

  /** The first look. Answers the number of the last change that is already on the screen. */
  async load() {
    const { messages, change } = await api.messages(this.chat.id, this.#phone.person, 0);
    for (const message of messages) this.#place(message, false);
    if (!messages.length) this.#list.append(el("li.nothing", null, icon("chat"), "还没有消息"));
    this.#toEnd(true);
    return change;
  }

  /** A message is new or different. */
  heardOf(id) {
    this.#changed.add(id);
    return this.refresh();
  }

  /** The newest message can be seen. */
  get showsEnd() {
    return this.#atEnd;
  }

  /** The clock moved: what was today may be yesterday. */
  retime() {
    for (const time of this.#list.querySelectorAll(".line time")) time.textContent = chatTime(Date.parse(time.dateTime));
  }

  close() {
    this.#sizes.disconnect();
  }

  #scene() {
    const { person, platform } = this.#phone;
    const scene = { person, platform, group: this.chat.kind === "group", enlarge: (url, words) => this.#phone.enlarge(url, words) };
    const link = (words, url, classes = "") => {
      const target = api.linkTarget(url, person, platform);
      if (target) return el("a", { href: target, target: "_blank", rel: "noopener", class: classes, title: url }, words);
      return el("button.dead-link", { type: "button", title: url, class: classes, onclick: () => this.#phone.toast("这个链接只能在真机上打开") }, words);
    };
    scene.make = { link, picture: (words, url) => picture(url, words, scene) };
    return scene;
  }

  // ---- messages

  async #fetchNew() {
    const known = [...this.#changed].map((id) => this.#drawn.get(id)?.message.seq).filter(Boolean);
    this.#changed.clear();
    const after = Math.min(this.#last, ...known.map((seq) => seq - 1));
    const { messages } = await api.messages(this.chat.id, this.#phone.person, after);
    for (const message of messages) this.#place(message, true);
  }

  #place(message, live) {
    const known = this.#drawn.get(message.id);
    if (known) return this.#replace(known, message);
    const entry = { message, state: { draft: emptyDraft(), pending: new Set(), locked: false } };
    this.#list.querySelector(".nothing")?.remove();
    this.#timeLine(message);
    entry.node = this.#draw(entry);
    if (live) entry.node.classList.add("fresh");
    this.#list.append(entry.node);
    this.#drawn.set(message.id, entry);
    this.#last = Math.max(this.#last, message.seq);
    if (live) this.#arrived(message);
  }

  #replace(entry, message) {
    const before = entry.message;
    entry.message = message;
    if (looks(before) === looks(message)) return;
    const turned = faceOf(before.card) !== faceOf(message.card);
    if (turned) this.#turn(entry);
    this.#redraw(entry, turned);
  }

  /** The bot changed the card: it can be pressed again, and what was ticked on the old one is gone. */
  #turn({ state }) {
    state.locked = false;
    state.draft = emptyDraft();
  }

  #draw(entry) {
    const { message, state } = entry;
    const press = (what, key) => this.#press(entry, what, key);
    const hand = message.card && { ...this.scene, ...state, id: `${this.#phone.id}-${message.id}`, press, changed: () => {} };
    return drawMessage(message, this.scene, hand);
  }

  #redraw(entry, changed = false) {
    const focused = entry.node.contains(document.activeElement);
    const node = this.#draw(entry);
    if (changed) node.classList.add("turned");
    entry.node.replaceWith(node);
    entry.node = node;
    if (focused) (node.querySelector("button:enabled, input:enabled, a") ?? this.#scroll).focus({ preventScroll: true });
  }

  #timeLine(message) {
    const at = Date.parse(message.at);
    const last = [...this.#drawn.values()].at(-1);
    if (last && Math.abs(at - Date.parse(last.message.at)) < PAUSE_MS) return;
    this.#list.append(el("li.line", null, el("time", { dateTime: message.at }, chatTime(at))));
  }

  #arrived(message) {
    const mine = message.from.key === this.#phone.person;
    if (mine || this.#atEnd) return this.#toEnd();
    const count = Number(this.#more.dataset.count ?? 0) + 1;
    this.#more.dataset.count = count;
    this.#more.hidden = false;
    fill(this.#more, icon("down"), `${count} 条新消息`);
  }

  #toEnd(atOnce = false) {
    this.#atEnd = true;
    this.#more.hidden = true;
    this.#more.dataset.count = 0;
    this.#scroll.scrollTo({ top: this.#scroll.scrollHeight, behavior: atOnce ? "instant" : "auto" });
  }

  #scrolled() {
    const left = this.#scroll.scrollHeight - this.#scroll.clientHeight - this.#scroll.scrollTop;
    this.#atEnd = left < NEAR_END_PX;
    if (this.#atEnd && !this.#more.hidden) this.#toEnd();
    if (this.#atEnd) this.#phone.sawEnd();
  }

  // ---- cards

  async #press(entry, what, key) {
    const { message, state } = entry;
    if (state.pending.has(key)) return;
    const missing = what.submit && missingField(message.card, state.draft);
    if (missing) return this.#phone.toast(`请填写:${missing}`);
    state.pending.add(key);
    state.locked = this.#phone.platform === "wecom";
    this.#redraw(entry);
    const body = { person: this.#phone.person, platform: this.#phone.platform, ...what, ...filledIn(message.card, state.draft) };
    try {
      const { outcome, card } = await api.tap(message.card.card_id, body);
      state.pending.delete(key);
      this.#phone.tell(outcome, "点按");
      if (!outcome.delivered || outcome.late) this.#failed(entry);
      else this.#taken(entry, outcome, card);
    } catch (error) {
      state.pending.delete(key);
      this.#failed(entry, error.code === "not-on-the-card" ? refusal(error.message) : FAILED);
      this.heardOf(message.id).catch(() => {});
    }
  }

  #failed(entry, words = FAILED) {
    entry.state.locked = false;
    this.#redraw(entry);
    this.#phone.toast(words);
  }

  #taken(entry, outcome, card) {
    const { state } = entry;
    const turned = card && faceOf(card) !== faceOf(entry.message.card);
    if (turned) this.#turn(entry);
    if (card) entry.message = { ...entry.message, card };
    this.#redraw(entry, turned);
    if (state.locked) setTimeout(() => state.locked && ((state.locked = false), this.#redraw(entry)), GREY_AT_MOST_MS);
  }

  // ---- writing

  #composer() {
    const { platform, world } = this.#phone;
    const { group } = this.scene;
    const deaf = group && platform === "wecom";
    const text = el("textarea", {
      rows: 1, maxLength: 4000, enterKeyHint: "send", "aria-label": `发消息给${this.chat.title}`,
      placeholder: deaf ? "发消息(企业微信群里三秒听不到)" : "发消息",
      oninput: () => grow(), onkeydown: (event) => typed(event), onpaste: (event) => pasted(event),
    });
    const send = el("button.send", { type: "submit", "aria-label": "发送", disabled: true }, icon("send"));
    const file = el("input.hidden", { type: "file", accept: "image/*", tabIndex: -1, "aria-hidden": "true", onchange: () => { this.#sendPicture(file.files[0]); file.value = ""; } });
    const attach = el("button.attach", { type: "button", "aria-label": "发图片", onclick: () => file.click() }, icon("picture"));
    const grow = () => {
      text.style.height = "auto";
      text.style.height = `${Math.min(text.scrollHeight, 110)}px`;
      send.disabled = !text.value.trim();
    };
    const typed = (event) => {
      // Enter that ends the choice of a Chinese word does not send.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      submit();
    };
    const pasted = (event) => {
      const shot = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
      if (shot) event.preventDefault(), this.#sendPicture(shot);
    };
    const submit = async () => {
      const words = text.value.trim();
      if (!words) return;
      text.value = "";
      grow();
      if (!(await this.#send(words)) && !text.value) (text.value = words), grow();
    };
    const mention = () => {
      if (!text.value.includes(`@${world.bot}`)) text.value = `@${world.bot} ${text.value}`;
      grow();
      text.focus();
    };
    const hints = group
      ? deaf ? [] : [el("button", { type: "button", onclick: mention }, `@${world.bot}`)]
      : world.hints(this.#phone.person).map((words) => el("button", { type: "button", onclick: () => this.#send(words) }, words));
    return el("form.composer", { onsubmit: (event) => { event.preventDefault(); submit(); } },
      hints.length > 0 && el("div.hints", { role: "group", "aria-label": "快捷输入" }, hints),
      el("div.write", null, attach, file, text, send));
  }

  async #send(words) {
    const mention = this.scene.group && words.includes(`@${this.#phone.world.bot}`);
    const { person } = this.#phone;
    return this.#deliver(api.say(this.chat.id, { person, text: words, mention_bot: mention }), "消息", mention);
  }

  async #sendPicture(file) {
    if (!file) return;
    if (!file.type.startsWith("image/") || file.size > BIGGEST_PICTURE) return this.#phone.toast("只能发 10 MB 以内的图片");
    await this.#deliver(api.sayPicture(this.chat.id, this.#phone.person, file, false), "图片", false);
  }

  async #deliver(sending, what, mention) {
    this.#toEnd(true);
    try {
      const { outcome } = await sending;
      // A real client shows a message as sent whether or not a bot has heard it; only the line under the phone tells.
      if (this.scene.group && !(mention && outcome.delivered)) this.#phone.tellQuietly("机器人听不到群里没有 @ 它的话");
      else this.#phone.tell(outcome, what);
      return true;
    } catch (error) {
      this.#phone.toast(error instanceof api.Problem ? `没有发出:${error.message}` : "没有发出,请重试");
      return false;
    }
  }
}

function looks({ card, text, content, recalled }) {
  return JSON.stringify([card, text, content, recalled]);
}

/** A form refuses in its own words ("请至少勾一项"); anything else means that the phone showed an old card. */
function refusal(detail) {
  return /[\u4e00-\u9fff]/.test(detail) ? detail : "卡片已更新";
}
