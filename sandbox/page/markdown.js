/**
 * The small markdown of both platforms, drawn as elements: headings, quotes, lists, rules, bold, italic, code, links, pictures,
 * coloured words. Everything else stays the text it is. `link(words, url)` and `picture(words, url)` make the elements.
 */

import { el } from "./dom.js";

const INLINE = new RegExp(
  [
    /(?<shot>!)?\[(?<words>[^\]\n]*)\]\((?<url>[^()\s]+)\)/,
    /\*\*(?<bold>[^\n]+?)\*\*/,
    /(?<!\*)\*(?<slanted>[^*\n]+)\*(?!\*)/,
    /`(?<code>[^`\n]+)`/,
    /<font color=["']?(?<colour>[#\w]+)["']?>(?<coloured>.*?)<\/font>/,
    /<a [^<>]*?href=["'](?<href>[^"'<>]+)["'][^<>]*>(?<anchor>.*?)<\/a>/,
    /(?<bare>https?:\/\/[^\s<>"'\u3000-\u303f\uff00-\uffef]+)/,
  ].map((each) => each.source).join("|"),
  "i",
);
const NAMED_COLOURS = ["info", "comment", "warning"];

/** The whole text. DingTalk breaks a line only after two spaces or at an empty line, WeCom at every line end. */
export function markdown(text, make, strictBreaks) {
  const root = el("div.markdown");
  let list = null;
  let quote = null;
  let paragraph = null;
  const endsAll = () => (list = quote = paragraph = null);
  for (const line of text.replaceAll("\r", "").replace(/<br\s*\/?>/gi, "  \n").split("\n")) {
    const heading = /^\s*(#{1,6})\s+(.+)$/.exec(line);
    const item = /^\s*(?:[-*+]|(\d+)[.)])\s+(.+)$/.exec(line);
    const quoted = /^\s*>\s?(.*)$/.exec(line);
    if (!line.trim()) endsAll();
    else if (/^\s*(-{3,}|\*{3,})\s*$/.test(line)) endsAll(), root.append(el("hr"));
    else if (heading) endsAll(), root.append(el(`p.h${heading[1].length}`, { role: "heading", "aria-level": 4 }, inline(heading[2], make)));
    else if (item) {
      quote = paragraph = null;
      const kind = item[1] ? "OL" : "UL";
      if (list?.tagName !== kind) root.append((list = el(kind.toLowerCase(), { start: item[1] && Number(item[1]) })));
      list.append(el("li", null, inline(item[2], make)));
    } else if (quoted) {
      list = paragraph = null;
      if (!quote) root.append((quote = el("blockquote")));
      if (quote.hasChildNodes()) quote.append(el("br"));
      quote.append(...inline(quoted[1], make));
    } else {
      list = quote = null;
      if (!paragraph) root.append((paragraph = el("p")));
      else if (!strictBreaks || paragraph.breaks) paragraph.append(el("br"));
      else paragraph.append(" ");
      paragraph.append(...inline(line.trim(), make));
      paragraph.breaks = / {2}$/.test(line);
    }
  }
  return root;
}

/** Plain text in which only web addresses (and WeCom's <a href>) are alive. */
export function plain(text, make) {
  return inline(text, make, true);
}

function inline(text, make, linksOnly = false) {
  const nodes = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    const node = token(found.groups, make, linksOnly) ?? found[0];
    nodes.push(rest.slice(0, found.index), node);
    rest = rest.slice(found.index + found[0].length);
  }
  return [...nodes, rest].filter((node) => node !== "");
}

function token(part, make, linksOnly) {
  if (part.bare) return make.link(part.bare, part.bare);
  if (part.href) return make.link(part.anchor, part.href);
  if (linksOnly) return null;
  if (part.shot) return make.picture(part.words, part.url);
  if (part.url) return make.link(part.words, part.url);
  if (part.bold) return el("strong", null, inline(part.bold, make));
  if (part.slanted) return el("em", null, inline(part.slanted, make));
  if (part.code) return el("code", null, part.code);
  if (NAMED_COLOURS.includes(part.colour)) return el(`span.${part.colour}`, null, inline(part.coloured, make));
  return el("span", { style: CSS.supports("color", part.colour) && `color:${part.colour}` }, inline(part.coloured, make));
}
