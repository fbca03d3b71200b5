"""What the eye and a screen reader need, measured in the page: contrast of texts, names of controls, room for fingers."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

# WCAG 2.2 AA: 4.5:1, or 3:1 for large text (24 px, or 18.66 px bold); disabled controls are exempt; targets of 24 px.
SCRIPT = """
() => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  // All colours that may lie behind an element: one, or the stops of a gradient.
  const grounds = (element) => {
    if (!element) return [[255, 255, 255, 1]];
    const style = getComputedStyle(element);
    const stops = (style.backgroundImage.match(/(rgba?|color|oklab)\\([^()]*\\)/g) ?? []).map(rgba);
    const own = stops.length ? stops : [rgba(style.backgroundColor)];
    return own.flatMap((colour) => colour[3] === 1 ? [colour] : grounds(element.parentElement).map((below) => over(colour, below)));
  };
  const seen = (element) =>
    element.checkVisibility({opacityProperty: true, visibilityProperty: true}) && element.getClientRects().length > 0;
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !seen(element) || element.closest(":disabled, .hidden, noscript, fieldset:disabled")) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const worst = Math.min(...grounds(element).map((ground) => ratio(over(rgba(style.color), ground), ground)));
    if (worst < needed) found.push(`contrast ${worst.toFixed(2)} of "${node.data.trim().slice(0, 20)}" in .${element.className}`);
  }
  for (const element of document.querySelectorAll("button, a[href], input, select, textarea, summary, [role=tab]")) {
    if (!seen(element) || element.matches("[aria-hidden=true]")) continue;
    const name = element.getAttribute("aria-label") || element.labels?.[0]?.innerText || element.innerText || element.title;
    const box = (element.closest("label") ?? element).getBoundingClientRect();
    if (!name?.trim()) found.push(`no name: ${element.outerHTML.slice(0, 80)}`);
    const inSentence = element.matches("a") && getComputedStyle(element).display === "inline";
    const size = `${Math.round(box.width)}x${Math.round(box.height)}`;
    if (!inSentence && (box.height < 24 || box.width < 24)) found.push(`small: ${name} ${size}`);
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push(`wider than the screen: ${document.documentElement.scrollWidth}`);
  return found;
}
"""


def complaints(page: Page) -> list[str]:
    """What is wrong, in words; empty when nothing is."""
    found: Any = page.evaluate(SCRIPT)
    return [str(each) for each in found]
