/** 幕后: what the bot asks of the platforms and hears from them, what it has used of its quotas, and switches that make things go wrong. */

import * as api from "./api.js";
import { el, fill, icon, oneAtATime } from "./dom.js";
import { parts } from "./time.js";
import { PLATFORM_NAMES } from "./world.js";

const LINES = 60;
const EVERY_MS = 2000;
const PANES = { traffic: "往来", usage: "用量", faults: "故障", doubts: "疑点" };
const FAULTS = [
  ["下一次发消息答 500", [["wecom:message/send", "http_500"], ["dingtalk:POST /v1.0/card/instances/createAndDeliver", "http_500"]]],
  ["下一次请求令牌过期", [["wecom:message/*", "token_expired"], ["dingtalk:POST /v1.0/card/*", "token_expired"]]],
  ["发出了但没有回音", [["wecom:message/send", "timeout_after_effect"], ["dingtalk:POST /v1.0/card/instances/createAndDeliver", "timeout_after_effect"]]],
  ["超出频率限制", [["wecom:message/send", "errcode:45009"], ["dingtalk:POST /v1.0/card/instances/createAndDeliver", "over_quota"]]],
  ["下一次推送送两遍", [["wecom:callback", "duplicate_delivery"], ["dingtalk:stream", "duplicate_delivery"]]],
  ["下一次推送迟 10 秒", [["wecom:callback", "delayed_delivery"], ["dingtalk:stream", "delayed_delivery"]]],
  ["下一次推送丢掉", [["wecom:callback", "drop"], ["dingtalk:stream", "drop"]]],
  ["断开钉钉连接", [["dingtalk:stream", "disconnect"]]],
];

/** `say(words)` shows a line on the page. */
export class Backstage {
  #root;
  #say;
  #pane = "traffic";
  #open = new Set(); // entries that are unfolded
  #logs;
  #content = el("div.pane", { role: "tabpanel", tabIndex: 0 });
  #tabs = el("div.pane-tabs", { role: "tablist", "aria-label": "幕后" });
  refresh = oneAtATime(() => this.#draw().catch(() => {}));

  constructor(root, say) {
    this.#root = root;
    this.#say = say;
    this.forget();
    this.button = el("button.backstage-button", { type: "button", "aria-expanded": "false", "aria-controls": root.id, onclick: () => this.#toggle() }, icon("tools"), "幕后");
    const close = el("button.plain", { type: "button", "aria-label": "关上幕后", onclick: () => this.#toggle(false) }, icon("close"));
    fill(root, el("header", null, el("h2", null, "幕后"), close), this.#tabs, this.#content);
    root.addEventListener("keydown", (event) => event.key === "Escape" && this.#toggle(false));
    setInterval(() => document.hidden || this.refresh(), EVERY_MS); // requests of the bot are no changes of a chat
  }

  /** The sandbox was reset or is another one: read its records from the beginning. */
  forget() {
    this.#logs = Object.fromEntries(["requests", "deliveries", "warnings"].map((what) => [what, new api.Log(what, LINES)]));
  }

  #toggle(open = this.#root.hidden) {
    this.#root.hidden = !open;
    document.body.classList.toggle("with-backstage", open);
    this.button.setAttribute("aria-expanded", String(open));
    if (open) this.#show(this.#pane).then(() => this.#tabs.querySelector("[aria-selected=true]")?.focus());
    else this.button.focus();
  }

  #show(pane) {
    this.#pane = pane;
    fill(this.#tabs, Object.entries(PANES).map(([key, words]) => el("button", {
      type: "button", role: "tab", "aria-selected": String(key === pane), tabIndex: key === pane ? 0 : -1,
      onclick: () => this.#show(key), onkeydown: (event) => this.#arrow(event),
    }, words)));
    fill(this.#content, el("p.faint", null, "…"));
    this.drawn = null;
    return this.refresh();
  }

  #arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const keys = Object.keys(PANES);
    this.#show(keys.at((keys.indexOf(this.#pane) + step) % keys.length));
    this.#tabs.querySelector("[aria-selected=true]").focus();
  }

  async #draw() {
    if (this.#root.hidden) return;
    const pane = this.#pane;
    const found = await this.#read(pane);
    const key = JSON.stringify(found);
    if (pane !== this.#pane || key === this.drawn) return;
    this.drawn = key;
    fill(this.#content, this[pane](found));
  }

  #read(pane) {
    const { requests, deliveries, warnings } = this.#logs;
    if (pane === "traffic") return Promise.all([requests.read(), deliveries.read()]);
    if (pane === "usage") return Promise.all([api.meters(), warnings.read()]);
    return pane === "faults" ? api.faults() : api.doubts();
  }

  // ---- the panes

  traffic([requests, deliveries]) {
    const asked = requests.map((each) => ({ ...each, id: `q${each.n}`, arrow: "→", what: each.api, bad: each.status === null || each.status >= 400 || Boolean(each.answer?.errcode) }));
    const heard = deliveries.map((each) => ({ ...each, id: `d${each.n}`, arrow: "←", what: each.channel === "stream" ? "推送" : "回调", bad: each.status !== 200 || each.note === "late" }));
    const all = [...asked, ...heard].sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, LINES);
    if (!all.length) return nothing("机器人还没有和平台说过话");
    return [el("p.faint", null, "→ 机器人的请求  ← 平台送给机器人的"), el("div.traffic", null, all.map((each) => this.#entry(each)))];
  }

  #entry(entry) {
    const fold = (event) => this.#open[event.target.open ? "add" : "delete"](entry.id);
    const details = Object.entries({ 故障: entry.fault, 注: entry.note, 警告: entry.warnings?.length ? entry.warnings : null, 内容: entry.body, 应答: entry.answer });
    return el(`details.entry${entry.bad ? ".bad" : ""}`, { open: this.#open.has(entry.id), ontoggle: fold },
      el("summary", null,
        el("span.arrow", null, entry.arrow), el(`span.tag.${entry.platform}`, null, PLATFORM_NAMES[entry.platform]),
        el("span.what", { title: entry.what }, entry.what), el("span.status", null, entry.status ?? "无"), el("span.ms", null, `${Math.round(entry.ms)} ms`)),
      el("p.faint", null, moment(entry.at)),
      details.filter(([, content]) => content !== null && content !== undefined && content !== "").map(([name, content]) =>
        el("div", null, el("h4", null, name), el("pre", { tabIndex: 0 }, typeof content === "string" ? content : JSON.stringify(content, null, 1)))));
  }

  usage([{ month, dingtalk, wecom, quotas }, warnings]) {
    const drops = Object.values(wecom.silent_drops).reduce((sum, each) => sum + each, 0);
    return [
      el("h3", null, `${month} 用量`),
      gauge("钉钉 API 调用", dingtalk.metered_calls, quotas.dingtalk_api_calls_per_month, "免费版每月"),
      gauge("钉钉 Stream 消息", dingtalk.stream_messages, quotas.dingtalk_stream_messages_per_month, "免费版每月"),
      el("dl.figures", null, figure("钉钉被限流", dingtalk.qps_refusals), figure("企业微信消息(人次)", wecom.messages), figure("企业微信回调", wecom.callbacks), figure("被静默丢弃", drops)),
      el("h3", null, "按接口"),
      calls({ ...prefixed(PLATFORM_NAMES.dingtalk, dingtalk.calls), ...prefixed(PLATFORM_NAMES.wecom, wecom.calls) }),
      el("h3", null, "平台会收下、但工程师该知道的"),
      warnings.length ? el("ul.warnings", null, warnings.toReversed().map((each) => el("li", null, el("small", null, `${moment(each.at)} ${PLATFORM_NAMES[each.platform]}`), each.text))) : nothing("没有警告"),
    ];
  }

  faults(active) {
    return [
      el("h3", null, "一键出错(各一次)"),
      el("div.switches", null, FAULTS.map(([words, targets]) => el("button", { type: "button", onclick: () => this.#set(words, targets) }, words))),
      el("h3", null, "开着的"),
      active.length ? el("ul.active-faults", null, active.map((fault) => el("li", null,
        el("code", null, `${fault.target} ${fault.fault}`), el("small", null, fault.times === null ? "一直" : `还有 ${fault.times} 次`),
        el("button", { type: "button", "aria-label": `关掉 ${fault.target} ${fault.fault}`, onclick: () => this.#clear(fault.id) }, "关掉")))) : nothing("一切正常"),
      el("h3", null, "重来"),
      el("button", { type: "button", onclick: () => this.#reset() }, "清空消息,时钟回到现在"),
    ];
  }

  doubts(all) {
    if (!all.length) return nothing("没有疑点");
    return [el("p.faint", null, "平台文档没有说清的地方,沙箱取的读法:"), all.map((each) => el("details.entry", null,
      el("summary", null, el(`span.tag.${each.platform}`, null, PLATFORM_NAMES[each.platform]), el("span.what", null, each.question)),
      el("p", null, each.reading), el("p.faint", null, each.source), each.switch && el("p", null, el("code", null, `${each.switch} = ${JSON.stringify(each.value)}`))))];
  }

  // ---- the switches

  async #set(words, targets) {
    await this.#do(async () => {
      for (const [target, fault] of targets) await api.setFault({ target, fault, times: 1 });
      this.#say(`已安排:${words}`);
    });
  }

  #clear(id) {
    return this.#do(() => api.clearFault(id));
  }

  async #reset() {
    if (confirm("忘掉所有消息、卡片和用量?公司和回调设置留下。")) await this.#do(() => api.reset());
  }

  async #do(work) {
    try {
      await work();
    } catch (error) {
      this.#say(`没有做成:${error.message}`);
    }
    await this.refresh();
  }
}

function nothing(words) {
  return el("p.nothing", null, words);
}

function moment(iso) {
  const at = parts(Date.parse(iso));
  return `${at.date} ${at.time}:${at.seconds}`;
}

function gauge(words, used, quota, kind) {
  const share = quota ? Math.round((used / quota) * 100) : 100;
  return el("label.gauge", null,
    el("span", null, words, el("b", null, `${used} / ${quota}`)),
    el("meter", { min: 0, max: quota || 1, high: quota * 0.8, optimum: 0, value: used }), el("small", null, `${kind} ${quota},用了 ${share}%`));
}

function figure(words, number) {
  return el("div", null, el("dt", null, words), el("dd", null, number));
}

function prefixed(name, counts) {
  return Object.fromEntries(Object.entries(counts).map(([api, count]) => [`${name} ${api}`, count]));
}

function calls(counts) {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  if (!sorted.length) return nothing("还没有调用");
  return el("table.calls", null, el("tbody", null, sorted.map(([name, count]) => el("tr", null, el("th", { scope: "row" }, name), el("td", null, String(count))))));
}
