/** The control API (docs/sandbox-openapi.yaml); the page uses nothing else. */

/** The sandbox understood and says no. `code` is stable, `detail` is for people. */
export class Problem extends Error {
  constructor(status, problem) {
    super(problem.detail || `HTTP ${status}`);
    this.status = status;
    this.code = problem.code || "";
  }
}

/** Nobody answers. */
export class Unreachable extends Error {}

const LONGEST_MS = 120_000; // a picture or a tap may wait for several tries of the bot

async function ask(method, path, { query, body, form, within = LONGEST_MS } = {}) {
  const url = query ? `${path}?${new URLSearchParams(query)}` : path;
  const init = { method, signal: AbortSignal.timeout(within), cache: "no-store" };
  if (form) init.body = form;
  if (body !== undefined) Object.assign(init, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  let answer, json;
  try {
    answer = await fetch(url, init);
    json = await answer.json();
  } catch (error) {
    throw new Unreachable(error.message);
  }
  if (!answer.ok) throw new Problem(answer.status, json);
  return json;
}

const get = (path, query) => ask("GET", `/sandbox/${path}`, { query });
const part = encodeURIComponent;

export const people = () => get("people");
export const phones = async () => (await get("phones")).phones;
export const chats = async (person, platform) => (await get("chats", { person, platform })).chats;
export const messages = (chat, person, after) => get(`chats/${part(chat)}/messages`, { person, after, limit: 300 });
export const open = (chat, person) => ask("POST", `/sandbox/chats/${part(chat)}/open`, { body: { person } });
export const say = (chat, body) => ask("POST", `/sandbox/chats/${part(chat)}/messages`, { body });
export const tap = (card, body) => ask("POST", `/sandbox/cards/${part(card)}/tap`, { body });
export const clock = () => get("clock");
export const moveClock = (body) => ask("POST", "/sandbox/clock", { body });
export const faults = async () => (await get("faults")).faults;
export const setFault = (body) => ask("PUT", "/sandbox/faults", { body });
export const clearFault = (id) => ask("DELETE", `/sandbox/faults/${part(id)}`);
export const meters = () => get("meters");
export const doubts = async () => (await get("doubts")).doubts;
export const reset = () => ask("POST", "/sandbox/reset");

/** Follows "requests", "deliveries" or "warnings", keeping the last `most` of them. */
export class Log {
  #after = 0;
  #kept = [];

  constructor(what, most) {
    Object.assign(this, { what, most });
  }

  /** What is kept, oldest first, after asking for what is new. */
  async read() {
    const limit = 1000;
    let found;
    do {
      found = (await get(this.what, { after: this.#after, limit }))[this.what];
      this.#kept = [...this.#kept, ...found].slice(-this.most);
      this.#after = found.at(-1)?.n ?? this.#after;
    } while (found.length === limit);
    return this.#kept;
  }
}

/** What is new after change `after`; the server waits up to `wait` seconds for it. */
export const changes = (after, wait) => ask("GET", "/sandbox/changes", { query: { after, wait }, within: (wait + 15) * 1000 });

/** A picture as a person; `mention_bot` for groups. */
export function sayPicture(chat, person, picture, mention) {
  const form = new FormData();
  form.append("person", person);
  form.append("mention_bot", String(mention));
  form.append("picture", picture, picture.name || "picture.png");
  return ask("POST", `/sandbox/chats/${part(chat)}/messages`, { form });
}

/** Where a link of a message leads: through the in-app browser of that person. Null for what only a real phone can open. */
export function linkTarget(url, person, platform) {
  const inner = unwrapped(url);
  return /^https?:\/\//i.test(inner) ? `/sandbox/open?${new URLSearchParams({ person, platform, url: inner })}` : null;
}

/** DingTalk wraps page links: dingtalk://dingtalkclient/page/link?url=… */
function unwrapped(url) {
  if (!/^dingtalk:\/\//i.test(url)) return url;
  const query = new URLSearchParams(url.slice(url.indexOf("?") + 1));
  return query.get("url") || query.get("pageUrl") || query.get("mobileLink") || query.get("pcLink") || url;
}
