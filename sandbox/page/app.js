/** The page: phones side by side, or one at a time on a small screen; kept up to date by the feed of changes. */

import { Backstage } from "./backstage.js";
import { ClockBar } from "./clock.js";
import { avatar, badge, el, fill, icon, oneAtATime } from "./dom.js";
import { follow } from "./live.js";
import { Phone } from "./phone.js";
import { choosePhone } from "./switcher.js";
import { PLATFORM_NAMES, World } from "./world.js";

const PHONES_AT_FIRST = 4;
const NOTICE_MS = 4000;

const [stage, strip, lostLine, noticeLine] = ["stage", "strip", "lost", "notice"].map((id) => document.getElementById(id));
const world = new World();
const small = matchMedia("(max-width: 720px)");
const backstage = new Backstage(document.getElementById("backstage"), notice);
const clock = new ClockBar(document.getElementById("clock"), notice, () => phones.forEach((phone) => phone.tick()));

let wanted = []; // [{person, platform}], in order
let current = 0; // which of them a small screen shows
let phones = []; // those on the screen

const refreshWorld = oneAtATime(async () => {
  await world.loadPhones();
  drawAround();
});

// ---- which phones

/** From the address (#wecom:li,dingtalk:wang!), else those the company file names. The exclamation mark is on a small screen's one. */
function readWanted() {
  const named = decodeURIComponent(location.hash.slice(1)).split(",").filter(Boolean);
  const entries = named.map((each) => /^(\w+):(.+?)(!?)$/.exec(each)).filter((found) => found && world.phone(found[2], found[1]));
  wanted = entries.map(([, platform, person]) => ({ person, platform }));
  current = Math.max(0, entries.findIndex((found) => found[3]));
  if (wanted.length) return;
  const pinned = world.phones.filter((phone) => phone.pinned);
  wanted = (pinned.length ? pinned : world.phones).slice(0, PHONES_AT_FIRST).map(({ person, platform }) => ({ person, platform }));
}

function keepWanted() {
  const entries = wanted.map(({ person, platform }, at) => `${platform}:${encodeURIComponent(person)}${at === current && small.matches ? "!" : ""}`);
  history.replaceState(null, "", `#${entries.join(",")}`);
}

/** Put the wanted phones on the screen; answers the number to follow the changes from. */
async function mount() {
  const shown = small.matches ? wanted.slice(current, current + 1) : wanted;
  phones.forEach((phone) => phone.close());
  phones = shown.map(({ person, platform }) => new Phone(person, platform, world, acts));
  fill(stage, phones.length ? phones.map((phone) => phone.element) : el("p.nothing", null, "公司文件里还没有人"));
  drawAround();
  const changes = await Promise.all(phones.map((phone) => phone.load()));
  return changes.length ? Math.min(...changes) : 0;
}

function remount() {
  keepWanted();
  mount().catch(() => {}); // the feed notices a lost sandbox and starts again
}

const acts = {
  alone: () => small.matches,
  enlarge,
  async choose(phone) {
    const choice = await choosePhone(world, `换掉${phone.owner.name}的手机`);
    if (choice) replace(phone, choice);
  },
  setPlatform: (phone, platform) => replace(phone, { person: phone.person, platform }),
  get remove() {
    return wanted.length > 1 && !small.matches ? remove : null;
  },
};

function indexOf(phone) {
  return wanted.findIndex(({ person, platform }) => person === phone.person && platform === phone.platform);
}

function replace(phone, choice) {
  const taken = indexOf(choice);
  if (taken >= 0 && taken !== indexOf(phone)) return small.matches ? select(taken) : notice("这部手机已经在台上");
  wanted[indexOf(phone)] = choice;
  remount();
}

function remove(phone) {
  wanted.splice(indexOf(phone), 1);
  remount();
}

async function add() {
  const choice = await choosePhone(world, "再摆一部手机");
  if (!choice) return;
  const known = indexOf(choice);
  if (known < 0) wanted.push(choice);
  if (small.matches) current = known < 0 ? wanted.length - 1 : known;
  if (known < 0 || small.matches) remount();
  else notice("这部手机已经在台上");
}

function select(at) {
  current = at;
  remount();
}

// ---- around the phones

function drawAround() {
  phones.forEach((phone) => phone.drawCaption());
  fill(strip, wanted.map(({ person, platform }, at) => stripButton(world.phone(person, platform), at)),
    el("button.more-people", { type: "button", onclick: add }, el("span.avatar", null, icon("plus")), el("small", null, "其他人")));
  const unread = wanted.reduce((sum, { person, platform }) => sum + (world.phone(person, platform)?.unread ?? 0), 0);
  document.title = `${unread ? `(${unread}) ` : ""}三秒 · 沙箱`;
}

function stripButton(phone, at) {
  if (!phone) return null;
  const name = PLATFORM_NAMES[phone.platform];
  return el("button", { type: "button", "aria-pressed": String(at === current), "aria-label": `${phone.name},${phone.position},${name}`, onclick: () => at === current || select(at) },
    el(`span.face.${phone.platform}`, null, avatar(phone.name), badge(phone.unread)), el("small", null, phone.name));
}

function enlarge(url, words) {
  const dialog = el("dialog.large", { onclose: () => dialog.remove(), onclick: () => dialog.close() },
    el("img", { src: url, alt: words || "图片" }), el("button.plain", { type: "button", "aria-label": "关闭" }, icon("close")));
  document.body.append(dialog);
  dialog.showModal();
}

function notice(words) {
  noticeLine.textContent = words;
  noticeLine.classList.add("shown");
  clearTimeout(notice.timer);
  notice.timer = setTimeout(() => noticeLine.classList.remove("shown"), NOTICE_MS);
}

// ---- what happens

async function start() {
  await Promise.all([world.load(), clock.load()]);
  readWanted();
  const change = await mount();
  // Once more: what came after the first look and before `change` is told by nobody else.
  await world.load();
  drawAround();
  backstage.forget();
  backstage.refresh();
  return change;
}

async function changed(changes) {
  const kinds = new Set(changes.map(({ kind }) => kind));
  if (kinds.has("clock")) clock.load();
  if (kinds.has("people")) world.load().then(drawAround);
  if (kinds.has("message") || kinds.has("read")) refreshWorld();
  backstage.refresh();
  await Promise.all(phones.map((phone) => phone.heardOf(changes)));
}

function lost() {
  lostLine.hidden = false;
  lostLine.textContent = "沙箱没有应答,正在重新连接…";
  document.body.classList.add("offline");
}

function back() {
  lostLine.hidden = true;
  document.body.classList.remove("offline");
}

fill(document.getElementById("bar-end"),
  el("button.add", { type: "button", "aria-label": "再摆一部手机", onclick: add }, icon("plus"), el("span.long", null, "手机")),
  backstage.button);
small.addEventListener("change", remount);
document.addEventListener("visibilitychange", () => phones.forEach((phone) => phone.sawEnd()));
follow({ start, changed, lost, back });
