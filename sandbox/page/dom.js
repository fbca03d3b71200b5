/** Building elements without markup strings: what somebody wrote can only ever become text. */

const SVG = "http://www.w3.org/2000/svg";

/** el("button.primary", {type: "button", onclick}, "text", child, [more]); null and false are left out. */
export function el(tag, props, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name);
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key in node) node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  fill(node, children);
  return node;
}

const FOCUSABLE = "button, a, input, select, textarea, summary";

/** Replace everything inside `node`; the keyboard stays at the place where it was. */
export function fill(node, ...children) {
  const place = node.contains(document.activeElement) ? [...node.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement) : -1;
  node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  if (place >= 0) node.querySelectorAll(FOCUSABLE)[place]?.focus({ preventScroll: true });
  return node;
}

const SHAPES = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 9l6 6 6-6",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9h.01",
  send: "M12 19V5M6 11l6-6 6 6",
  pause: "M9 6v12M15 6v12",
  play: "M8 5l11 7-11 7z",
  next: "M5 6l7 6-7 6zM17 6v12",
  week: "M4 6h16v14H4zM4 10h16M8 3v4M16 3v4",
  plus: "M12 5v14M5 12h14",
  tools: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  chat: "M4 5h16v11H10l-5 4v-4H4z",
  people: "M9 11a3.5 3.5 0 100-7 3.5 3.5 0 000 7zM3 20c0-4 3-6 6-6s6 2 6 6M16 5a3 3 0 010 6M18 14c2 1 3 3 3 6",
  grid: "M5 5h5v5H5zM14 5h5v5h-5zM5 14h5v5H5zM14 14h5v5h-5z",
  person: "M12 12a4 4 0 100-8 4 4 0 000 8zM4 21c0-5 4-7 8-7s8 2 8 7",
  check: "M5 12.5l4.5 4.5L19 7.5",
  link: "M9 6l6 6-6 6",
};

/** A line drawing 24 x 24, invisible to screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

const COLOURS = ["#2f6fd6", "#0b7d6c", "#b4520b", "#7a4fc4", "#b83260", "#3f6b2a", "#146c94", "#8a4b2f"];

/** A person's picture: the last characters of the name on a colour of its own. `name` null is the bot. */
export function avatar(name, characters = 2) {
  if (name === null) return el("img.avatar", { src: "icon.svg", alt: "" });
  const letters = Array.from(name.replace(/[((].*$/, "").trim());
  const colour = COLOURS[letters.reduce((sum, letter) => sum + letter.codePointAt(0), 0) % COLOURS.length];
  return el("span.avatar", { "aria-hidden": "true", style: `background:${colour}` }, letters.slice(-characters).join(""));
}

/** A number in a red dot; nothing for 0. */
export function badge(count) {
  return count > 0 && el("span.badge", null, el("span", { "aria-hidden": "true" }, count > 99 ? "99+" : String(count)), hidden(`${count} 条未读`));
}

/** Words for screen readers only. */
export function hidden(words) {
  return el("span.hidden", null, words);
}

/** Run `work` now, or once more after the run that is under way: never twice at the same time. */
export function oneAtATime(work) {
  let running = null;
  let again = false;
  return function ask() {
    if (running) {
      again = true;
      return running;
    }
    running = (async () => {
      do {
        again = false;
        await work();
      } while (again);
    })().finally(() => (running = null));
    return running;
  };
}
