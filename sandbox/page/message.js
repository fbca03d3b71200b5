/** One message in a chat: whose it is, and its text, picture, articles or card. `scene` is what the chat knows; see chat.js. */

import { avatar, el, icon } from "./dom.js";
import { drawCard } from "./card.js";
import { markdown, plain } from "./markdown.js";

/** The list item of a message. `hand` is for its card, null when it has none. */
export function drawMessage(message, scene, hand) {
  const mine = message.from.kind === "person" && message.from.key === scene.person;
  if (message.recalled) return el("li.line", null, `${mine ? "你" : message.from.name}撤回了一条消息`);
  const name = message.from.kind === "bot" ? null : message.from.name;
  const body = el("div.body", null,
    scene.group && !mine && el("p.who", null, message.from.name),
    hand ? drawCard(message.card, hand) : drawContent(message, scene));
  return el(`li.message.${mine ? "mine" : "theirs"}.${message.card ? "wide" : `kind-${message.kind}`}`, null, avatar(name), body);
}

function drawContent(message, scene) {
  const { kind, content, text } = message;
  if (kind === "image") return el("div.bubble.shot", null, picture(`/sandbox/media/${encodeURIComponent(content.media)}`, "图片", scene));
  if (kind === "markdown") return el("div.bubble", null, markdown(text, scene.make, scene.platform === "dingtalk"));
  if (kind === "news" && content.articles) return content.articles.map((article) => drawArticle(article, scene));
  if (kind === "link" && content.url) return drawArticle({ title: text, ...content }, scene);
  if (kind === "file" || kind === "video" || kind === "voice") return drawFile(message, scene);
  return el("div.bubble", null, plain(text, scene.make));
}

function drawArticle(article, scene) {
  return el("div.bubble.article", null,
    article.picture && picture(article.picture, "", scene),
    el("p", null, el("strong", null, article.title)),
    article.description && el("p.faint", null, article.description),
    article.url && scene.make.link("打开", article.url));
}

function drawFile({ kind, content, text }, scene) {
  const name = content.file_name || text || { voice: "语音", video: "视频" }[kind] || "文件";
  const url = content.media && `/sandbox/media/${encodeURIComponent(content.media)}`;
  return el("div.bubble", null, url ? el("a", { href: url, target: "_blank", rel: "noopener" }, name) : name);
}

/** A picture that opens large; what cannot be shown says so. Pictures from outside this machine are never asked for. */
export function picture(address, words, scene) {
  const url = address.replace(/^@/, "/sandbox/media/"); // DingTalk's markdown names an uploaded file by its media id
  const missing = el("span.no-picture", null, icon("picture"), words || "图片");
  if (!isLocal(url)) return missing;
  const shown = el("img", { src: url, alt: words || "图片", loading: "lazy" });
  const button = el("button.picture", { type: "button", "aria-label": `放大${words || "图片"}`, onclick: () => scene.enlarge(url, words) }, shown);
  shown.addEventListener("error", () => button.replaceWith(missing), { once: true });
  return button;
}

function isLocal(url) {
  return URL.canParse(url, location) && [location.hostname, "127.0.0.1", "localhost"].includes(new URL(url, location).hostname);
}
