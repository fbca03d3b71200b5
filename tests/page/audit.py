"""What the eye, the thumb and a screen reader need, judged in the page: all that axe-core knows about, and two things that it leaves
open: contrast on a gradient, and whether the page fits the screen."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}

# WCAG 2.2 AA: 4.5:1, or 3:1 for large text (24 px, or 18.66 px bold); disabled controls are exempt. axe leaves a gradient undecided.
_ON_GRADIENTS = """
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
    const element = node.parentElement, behind = grounds(element);
    if (behind.length < 2 || !node.data.trim() || !seen(element)) continue;
    if (element.closest(":disabled, .hidden, noscript, fieldset:disabled")) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const worst = Math.min(...behind.map((ground) => ratio(over(rgba(style.color), ground), ground)));
    if (worst < needed) found.push(`contrast ${worst.toFixed(2)} of "${node.data.trim().slice(0, 20)}" in .${element.className}`);
  }
  return found;
}
"""
_AXE = Axe()


def complaints(page: Page) -> list[str]:
    """What is wrong, in words; empty when nothing is."""
    judged = _AXE.run(page, options=_RULES).response
    found = [f"{rule['impact']} {rule['id']}: {node['html'][:120]}" for rule in judged["violations"] for node in rule["nodes"]]
    wide: Any = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*found, *page.evaluate(_ON_GRADIENTS), *(["wider than the screen"] if wide else [])]
