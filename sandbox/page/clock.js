/** The business clock in the bar: what time it is, and the buttons that move it. */

import * as api from "./api.js";
import { el, fill, icon } from "./dom.js";
import { fromWallClock, now, parts, setClock } from "./time.js";

const HOUR_S = 3600;
const REFUSALS = {
  "nothing-due": "没有等着到期的事",
  "no-agenda": "机器人没有告诉沙箱它的日程",
  "agenda-unreachable": "问不到机器人的日程,它在运行吗?",
};

/** `say(words)` shows a line on the page; `ticked()` runs every second. */
export class ClockBar {
  #say;
  #face = el("button.now", { type: "button", "aria-label": "设定模拟时间" });
  #due = move("到下一个到期点", "到期", "next", () => this.#move({ to: "next-due" }, this.#due));
  #digest = move("到下一份周五简报", "周五", "week", () => this.#move({ to: "next-digest" }, this.#digest));
  #freeze = el("button", { type: "button" });

  constructor(root, say, ticked) {
    this.#say = say;
    const plus = (hours) => {
      const button = move(`+${hours} 小时`, `+${hours}h`, null, () => this.#move({ advance_seconds: hours * HOUR_S }, button));
      return button;
    };
    this.#face.onclick = () => this.#choose();
    this.#freeze.onclick = () => this.#move({ freeze: !this.frozen }, this.#freeze);
    fill(root, this.#face, plus(1), plus(24), this.#due, this.#digest, this.#freeze);
    setInterval(() => (this.#draw(), ticked()), 1000);
  }

  async load() {
    this.#take(await api.clock());
  }

  #take(clock) {
    setClock(clock);
    this.frozen = clock.frozen;
    for (const button of [this.#due, this.#digest]) {
      button.disabled = !clock.next_due_available;
      button.title = clock.next_due_available ? "" : REFUSALS["no-agenda"];
    }
    fill(this.#freeze, icon(clock.frozen ? "play" : "pause"), el("span.long", null, clock.frozen ? "继续" : "冻结"));
    this.#freeze.setAttribute("aria-label", clock.frozen ? "时间继续走" : "让时间停住");
    this.#freeze.setAttribute("aria-pressed", String(clock.frozen));
    this.#draw();
  }

  #draw() {
    const at = parts(now());
    const text = `${at.date} ${at.weekday} ${at.time}:${at.seconds}`;
    if (this.drawn === text + this.frozen) return;
    this.drawn = text + this.frozen;
    fill(this.#face, el("span.day", null, `${at.date} ${at.weekday}`), el("b", null, at.time, el("small", null, `:${at.seconds}`)), this.frozen && el("i.stopped", null, "已冻结"));
  }

  async #move(body, button) {
    button.disabled = true;
    try {
      this.#take(await api.moveClock(body));
      const at = parts(now());
      if (!("freeze" in body)) this.#say(`现在是 ${at.date} ${at.weekday} ${at.time}`);
    } catch (error) {
      this.#say(REFUSALS[error.code] ?? `时钟没有动:${error.message}`);
    } finally {
      button.disabled = false;
    }
  }

  #choose() {
    const input = el("input", { type: "datetime-local", value: parts(now()).iso, required: true, "aria-label": "北京时间" });
    const dialog = el("dialog.choose-time", { onclose: () => dialog.remove() },
      el("form", { method: "dialog", onsubmit: () => this.#move({ set: fromWallClock(input.value) }, this.#face) },
        el("h2", null, "设定模拟时间"), el("p.faint", null, "北京时间。往回拨会让平台的令牌和卡片变旧,请少用。"), input,
        el("div.row", null, el("button", { type: "button", onclick: () => dialog.close() }, "取消"), el("button.primary", { type: "submit" }, "设定"))));
    document.body.append(dialog);
    dialog.showModal();
  }
}

function move(words, short, shape, onclick) {
  return el("button", { type: "button", "aria-label": words, onclick }, shape && icon(shape), el("span.long", null, words), el("span.short", null, short));
}
