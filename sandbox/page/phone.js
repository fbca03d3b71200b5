/** One phone: its owner above, the screen with the chat list or a chat, and below it what became of the last tap. */

import * as api from "./api.js";
import { ChatView } from "./chat.js";
import { avatar, badge, el, fill, icon, oneAtATime } from "./dom.js";
import { chatTime, now, parts } from "./time.js";
import { PLATFORM_NAMES, SHORT_NAMES } from "./world.js";

const TOAST_MS = 2600;
const BANNER_MS = 6000;
const TABS = {
  dingtalk: [["chat", "消息"], ["grid", "工作台"], ["people", "通讯录"], ["person", "我的"]],
  wecom: [["chat", "消息"], ["people", "通讯录"], ["grid", "工作台"], ["person", "我"]],
};

let phonesMade = 0;

/** `acts`: {choose(phone), setPlatform(phone, platform), remove(phone) or null, enlarge(url, words), alone()}. */
export class Phone {
  #acts;
  #view = null;
  #chats = [];
  #screen;
  #caption = el("header.caption");
  #time = el("time");
  #body = el("div.view");
  #banner = el("button.banner", { type: "button", hidden: true });
  #toast = el("p.toast", { role: "status" });
  #told = el("p.told");
  refreshChats = oneAtATime(() => this.#fetchChats());

  constructor(person, platform, world, acts) {
    Object.assign(this, { person, platform, world, id: `phone${++phonesMade}` });
    this.#acts = acts;
    this.#screen = el("div.screen", null, el("div.status-bar", { "aria-hidden": "true" }, this.#time, el("i.signal"), el("i.battery")), this.#body, this.#banner, this.#toast);
    this.element = el("section.phone", { data: { platform, person } }, this.#caption, el("div.frame", null, this.#screen), this.#told);
    for (const attention of ["pointerenter", "focusin"]) this.#screen.addEventListener(attention, () => this.sawEnd());
    this.#time.textContent = parts(now()).time;
    this.tick();
  }

  get owner() {
    return this.world.phone(this.person, this.platform);
  }

  /** Show the private chat. Answers the number of the last change that is already on the screen. */
  async load() {
    await this.refreshChats();
    return this.show(this.#chats[0]);
  }

  /** Changes of the feed that may concern this phone. */
  async heardOf(changes) {
    const own = `private-${this.platform}-${this.person}`;
    const concerning = changes.filter(({ chat }) => chat && (chat === own || chat.startsWith("group-")));
    if (!concerning.length) return;
    const shown = concerning.filter(({ kind, chat, message }) => kind === "message" && message && chat === this.#view?.chat.id);
    await Promise.all([...shown.map(({ message }) => this.#view.heardOf(message)), this.refreshChats()]);
    this.sawEnd();
  }

  /** Open a chat, or the list of chats with null. */
  async show(chat) {
    this.#view?.close();
    this.#view = chat && new ChatView(this, chat);
    this.#banner.hidden = true;
    this.element.classList.toggle("in-list", !chat);
    this.#draw();
    if (!chat) return 0;
    const change = await this.#view.load();
    this.sawEnd();
    return change;
  }

  /** The owner looks at the end of a chat: everything in it is read. */
  sawEnd() {
    const chat = this.#view && this.#chats.find((each) => each.id === this.#view.chat.id);
    const looks = this.#acts.alone() || this.#screen.matches(":hover, :focus-within");
    if (!chat?.unread || !looks || !this.#view.showsEnd || document.hidden) return;
    chat.unread = 0;
    api.open(chat.id, this.person).catch(() => {});
  }

  /** Redraw what depends on the time. */
  tick() {
    const { day, time } = parts(now());
    if (this.minute === `${day} ${time}`) return;
    this.minute = `${day} ${time}`;
    this.#time.textContent = time;
    if (this.#view) this.#view.retime();
    else this.#draw();
  }

  drawCaption() {
    const owner = this.owner;
    if (!owner) return;
    const platforms = this.world.platformsOf(this.person);
    this.element.setAttribute("aria-label", `${owner.name}的手机,${PLATFORM_NAMES[this.platform]}`);
    fill(this.#caption,
      el("button.owner", { type: "button", "aria-label": `${owner.name},换一个人`, onclick: () => this.#acts.choose(this) },
        avatar(owner.name),
        el("span.owner-words", null, el("b", null, owner.name, icon("down")), el("small", null, [owner.position, owner.department].filter(Boolean).join(" · ")))),
      badge(owner.unread),
      el("span.platforms", { role: "group", "aria-label": "平台" }, platforms.map((platform) => this.#platformButton(platform, platforms))),
      this.#acts.remove && el("button.remove", { type: "button", "aria-label": `收起${owner.name}的手机`, onclick: () => this.#acts.remove(this) }, icon("close")));
  }

  toast(words) {
    this.#toast.textContent = words;
    this.#toast.classList.add("shown");
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => this.#toast.classList.remove("shown"), TOAST_MS);
  }

  /** What became of something handed to the bot; not on the screen, because a real phone does not tell. */
  tell(outcome, what) {
    this.#told.className = outcome.delivered && !outcome.late ? "told" : "told bad";
    this.#told.textContent = inWords(outcome, what);
  }

  tellQuietly(words) {
    this.#told.className = "told";
    this.#told.textContent = words;
  }

  enlarge(url, words) {
    this.#acts.enlarge(url, words);
  }

  close() {
    this.#view?.close();
    this.element.remove();
  }

  #platformButton(platform, platforms) {
    const name = SHORT_NAMES[platform];
    const unread = platform !== this.platform && this.world.phone(this.person, platform).unread;
    if (platforms.length === 1) return el(`span.tag.${platform}`, null, name);
    const pressed = platform === this.platform;
    return el(`button.tag.${platform}`, { type: "button", "aria-pressed": String(pressed), onclick: () => pressed || this.#acts.setPlatform(this, platform) },
      name, unread > 0 && el("i.dot"));
  }

  async #fetchChats() {
    const before = new Map(this.#chats.map((chat) => [chat.id, chat.unread]));
    this.#chats = await api.chats(this.person, this.platform);
    this.world.bot = this.#chats[0].title;
    const ringing = this.#chats.find((chat) => before.size && chat.unread > (before.get(chat.id) ?? 0) && chat.id !== this.#view?.chat.id);
    if (ringing && this.#view) this.#ring(ringing);
    if (this.#view) this.#drawHeader();
    else this.#draw();
  }

  #ring(chat) {
    fill(this.#banner, this.#face(chat), el("span", null, el("b", null, chat.title), el("span.last", null, chat.last_text)));
    this.#banner.onclick = () => this.#open(chat);
    this.#banner.hidden = false;
    clearTimeout(this.bannerTimer);
    this.bannerTimer = setTimeout(() => (this.#banner.hidden = true), BANNER_MS);
  }

  #open(chat) {
    api.open(chat.id, this.person).catch(() => {});
    this.show(chat).catch(() => this.toast("没有打开,请重试"));
  }

  #draw() {
    if (!this.#view) return fill(this.#body, this.#listHeader(), this.#chatList(), this.#tabs());
    this.header = el("div.header");
    this.#drawHeader();
    fill(this.#body, this.header, this.#view.element);
  }

  #drawHeader() {
    const { chat } = this.#view;
    const elsewhere = this.#chats.filter((each) => each.id !== chat.id).reduce((sum, each) => sum + each.unread, 0);
    const count = chat.kind === "group" ? `(${chat.members.length})` : "";
    fill(this.header,
      el("button.back", { type: "button", "aria-label": "返回消息列表", onclick: () => this.show(null) }, icon("back"), badge(elsewhere)),
      el("h2", null, el("span", null, chat.title), count, chat.kind === "private" && el("small.robot", null, this.platform === "dingtalk" ? "机器人" : "应用")));
  }

  #listHeader() {
    return el("div.header.list-header", null, el("h2", null, "消息"));
  }

  #chatList() {
    if (!this.#chats.length) return el("div.nothing", null, icon("chat"), "还没有消息");
    return el("ul.chats", null, this.#chats.map((chat) => el("li", null, el("button", { type: "button", onclick: () => this.#open(chat) },
      this.#face(chat),
      el("span.chat-words", null,
        el("span.first", null, el("b", null, chat.title), chat.last_at && el("time", { dateTime: chat.last_at }, chatTime(Date.parse(chat.last_at), true))),
        el("span.second", null, el("span.last", null, chat.last_text || "还没有消息"), badge(chat.unread)))))));
  }

  #face(chat) {
    if (chat.kind === "private") return avatar(null);
    const names = chat.members.map((key) => this.world.people.get(key)?.name).filter(Boolean);
    return el("span.avatar.many", { "aria-hidden": "true" }, names.slice(0, 4).map((name) => avatar(name, 1)));
  }

  #tabs() {
    return el("div.tabs", { "aria-hidden": "true" }, TABS[this.platform].map(([shape, words], at) => el(`span${at ? "" : ".here"}`, null, icon(shape), words)));
  }
}

function inWords(outcome, what) {
  const took = `${Math.round(outcome.ms)} ms`;
  if (outcome.deferred) return `${what}被故障开关扣下,稍后送达`;
  if (outcome.late) return `机器人超过 2 秒才应答(${took}),手机上显示失败`;
  if (!outcome.delivered) return `机器人没有收下${what}:${outcome.reason ?? `应答 ${outcome.status ?? "无"}`}`;
  return `${what} → 机器人 ${took} 应答${outcome.tries > 1 ? `(第 ${outcome.tries} 次才成)` : ""}`;
}
