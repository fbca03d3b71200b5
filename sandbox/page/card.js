/**
 * A card as the control API renders it, drawn in the order that its documentation gives.
 *
 * `hand` is what the finger on it knows: {platform, make, draft, pending, locked, press(what, button)}.
 * `draft` keeps what was ticked and typed but not sent; `pending` holds the keys of the buttons that wait for the bot;
 * `locked` greys everything, as WeCom does between a tap and the update.
 */

import { el, hidden, icon } from "./dom.js";
import { markdown, plain } from "./markdown.js";

const SOURCE_COLOURS = ["grey", "black", "red", "green"];
const INPUTS = { NUMBER: "number", DATE: "date", TIME: "time", DATETIME: "datetime-local" };

/** Nothing ticked or typed beyond what the card shows. */
export function emptyDraft() {
  return { ticked: null, fields: {}, selects: {} };
}

export function drawCard(card, hand) {
  return el("article.card", { "aria-label": card.title || "卡片", "aria-busy": hand.pending.size ? "true" : null },
    source(card.source, hand),
    card.title && el("h3.card-title", null, card.title),
    card.subtitle && el("p.card-subtitle", null, plain(card.subtitle, hand.make)),
    lines(card.body, hand),
    card.body_markdown && markdown(card.body_markdown, hand.make, hand.platform === "dingtalk"),
    card.emphasis && el("p.emphasis", null, el("strong", null, card.emphasis.title), el("span", null, card.emphasis.text)),
    quote(card.quote, hand),
    card.picture && hand.make.picture("图片", card.picture),
    card.selects.map((select) => dropDown(select, hand)),
    card.checkboxes && boxes(card.checkboxes, hand),
    card.fields.map((field) => formField(field, hand)),
    card.submit && submit(card, hand),
    buttons(card.buttons, hand),
    card.menu.length > 0 && buttons(card.menu.map((each) => ({ ...each, style: "normal", disabled: !card.tappable, menu: true })), hand, "menu"),
    links(card, hand),
    state(card, hand),
  );
}

/** What the bot made of the card, without what the finger on it ticked and chose: differs when the bot changed it. */
export function faceOf(card) {
  return JSON.stringify(card, (name, value) => (name === "checked" || name === "selected" ? undefined : value));
}

/** What a press sends besides the button: everything on the card that can be ticked, chosen or typed. */
export function filledIn(card, draft) {
  const filled = {};
  if (card.checkboxes) filled.ticked = [...ticked(card.checkboxes, draft)];
  const open = card.fields.filter((field) => !field.disabled && valueOf(field, draft) !== null);
  if (open.length) filled.fields = Object.fromEntries(open.map((field) => [field.name, valueOf(field, draft)]));
  if (card.selects.length) filled.selects = Object.fromEntries(card.selects.map((each) => [each.key, chosen(each, draft)]).filter(([, id]) => id));
  return filled;
}

/** The first required field that is still empty, as its label; the platform's client asks before it sends. */
export function missingField(card, draft) {
  const empty = (value) => value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
  return card.fields.find((field) => field.required && !field.disabled && empty(valueOf(field, draft)))?.label ?? null;
}

function ticked(checkboxes, draft) {
  return draft.ticked ?? new Set(checkboxes.options.filter((option) => option.checked).map((option) => option.id));
}

function valueOf(field, draft) {
  return field.name in draft.fields ? draft.fields[field.name] : field.value;
}

function chosen(select, draft) {
  return draft.selects[select.key] ?? select.selected;
}

function source(from, hand) {
  if (!from?.text) return null;
  return el(`p.card-source.${SOURCE_COLOURS[from.color] ?? "grey"}`, null, from.icon_url && hand.make.picture("", from.icon_url), from.text);
}

function lines(body, hand) {
  if (!body.length) return null;
  return el("dl.lines", null, body.map((line) => {
    const words = line.url ? hand.make.link(line.value ?? line.text, line.url) : plain(line.value ?? line.text ?? "", hand.make);
    return el(`div.${line.label ? "pair" : "sentence"}`, null, line.label && el("dt", null, line.label), el("dd", null, words));
  }));
}

function quote(said, hand) {
  if (!said) return null;
  return el("blockquote", null, said.title && el("strong", null, said.title, " "), said.text, said.url && [" ", hand.make.link("查看", said.url)]);
}

function boxes(checkboxes, hand) {
  const on = ticked(checkboxes, hand.draft);
  const off = checkboxes.disabled || hand.locked;
  const single = checkboxes.mode === "single";
  const change = (id, checked) => {
    hand.draft.ticked = single ? new Set([id]) : new Set(on);
    if (!single) hand.draft.ticked[checked ? "add" : "delete"](id);
    on.clear();
    hand.draft.ticked.forEach((each) => on.add(each));
    hand.changed();
  };
  return el("fieldset.boxes", { disabled: off },
    el("legend", { class: checkboxes.label ? "" : "hidden" }, checkboxes.label || "选项"),
    checkboxes.options.map((option) => el("label", null,
      el("input", {
        type: single ? "radio" : "checkbox", name: `${hand.id}-${checkboxes.key}`, value: option.id, checked: on.has(option.id),
        onchange: (event) => change(option.id, event.target.checked),
      }),
      el("span", null, option.text))));
}

function dropDown(select, hand) {
  return el("label.field", null, el("span", null, select.title),
    choice(select.options, chosen(select, hand.draft), select.disabled || hand.locked, (id) => (hand.draft.selects[select.key] = id)));
}

function choice(options, selected, disabled, keep) {
  return el("select", { disabled, onchange: (event) => keep(event.target.value) },
    !selected && el("option", { value: "" }, "请选择"),
    options.map((option) => el("option", { value: option.id, selected: option.id === selected }, option.text)));
}

function formField(field, hand) {
  const off = field.disabled || hand.locked;
  const keep = (value) => (hand.draft.fields[field.name] = value);
  const value = valueOf(field, hand.draft);
  if (field.options?.length && field.type !== "SELECT") return manyOf(field, value, off, keep, hand);
  const label = el("span", null, field.label, field.required && el("b.required", { "aria-hidden": "true" }, " *"));
  const common = { disabled: off, required: field.required, placeholder: field.placeholder || null };
  const type = (event) => keep(event.target.value);
  if (field.type === "SELECT") return el("label.field", null, label, choice(field.options, value, off, keep));
  if (field.type === "TEXT_AREA") return el("label.field", null, label, el("textarea", { ...common, rows: 2, value: value ?? "", oninput: type }));
  if (field.type === "CHECKBOX" || field.type === "SWITCH")
    return el("label.field.switch", null, el("input", { type: "checkbox", checked: value === true, disabled: off, onchange: (event) => keep(event.target.checked) }), label);
  return el("label.field", null, label, el("input", { ...common, type: INPUTS[field.type] ?? "text", value: value ?? "", oninput: type }));
}

function manyOf(field, value, off, keep, hand) {
  const single = field.type === "CHECKBOX_GROUP";
  const on = new Set(Array.isArray(value) ? value : value ? [value] : []);
  const change = (id, checked) => {
    if (single) on.clear();
    on[checked ? "add" : "delete"](id);
    keep(single ? id : field.options.map((option) => option.id).filter((each) => on.has(each)));
    hand.changed();
  };
  return el("fieldset.boxes", { disabled: off },
    el("legend", { class: field.label ? "" : "hidden" }, field.label || "选项"),
    field.options.map((option) => el("label", null,
      el("input", {
        type: single ? "radio" : "checkbox", name: `${hand.id}-${field.name}`, value: option.id, checked: on.has(option.id),
        onchange: (event) => change(option.id, event.target.checked),
      }),
      el("span", null, option.text))));
}

function submit(card, hand) {
  // WeCom's vote button stays grey until something is chosen; DingTalk's form sends whatever is required.
  const nothing = () => hand.platform === "wecom" && card.checkboxes && ticked(card.checkboxes, hand.draft).size === 0;
  const off = card.submit.disabled || hand.locked;
  const button = pressable(card.submit.text, "primary", off || nothing(), "submit", hand, { submit: true });
  hand.changed = () => (button.disabled = off || nothing());
  return el("div.buttons.one", null, button);
}

function buttons(all, hand, name = "buttons") {
  if (!all.length) return null;
  return el(`div.${name}.${shapeOf(all)}`, null, all.map((button) => {
    if (button.url && !button.disabled) return hand.make.link(button.text, button.url, `button ${button.style}`);
    const what = button.menu ? { menu: button.key } : { button: button.key };
    return pressable(button.text, button.style, button.disabled || hand.locked, button.key, hand, what);
  }));
}

/** Side by side when the words fit, else in pairs, else one below the other. */
function shapeOf(all) {
  const longest = Math.max(...all.map((button) => button.text.length));
  if (all.length <= 3 && longest * all.length <= 14) return "wide";
  return all.length % 2 === 0 && longest <= 6 ? "pairs" : "tall";
}

function pressable(text, style, disabled, key, hand, what) {
  const busy = hand.pending.has(key);
  return el(`button.button.${style}${busy ? ".busy" : ""}`, { type: "button", disabled, "aria-busy": busy ? "true" : null, onclick: () => hand.press(what, key) },
    text, busy && hidden(",请稍候"));
}

function links(card, hand) {
  const all = card.url ? [...card.links, { text: "查看详情", url: card.url }] : card.links;
  return all.length > 0 && el("div.card-links", null, all.map((each) => {
    const link = hand.make.link(each.text, each.url);
    link.append(icon("link"));
    return link;
  }));
}

function state(card, hand) {
  const shown = [card.submit?.text, ...card.buttons.map((button) => button.text)];
  // WeCom writes the state on the greyed button itself.
  return card.state_text && !shown.includes(card.state_text) && el("p.card-state", null, hand.platform === "dingtalk" && icon("check"), card.state_text);
}
