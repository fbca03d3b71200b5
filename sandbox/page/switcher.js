/** Choosing whose phone to look at: everybody, by department, on the platforms they are on. */

import { avatar, badge, el, fill, icon } from "./dom.js";
import { PLATFORM_NAMES } from "./world.js";

/** Answers {person, platform}, or null when nothing was chosen. */
export function choosePhone(world, title) {
  return new Promise((done) => {
    let choice = null;
    const list = el("div.people");
    const search = el("input", { type: "search", placeholder: "找人、职位、部门", "aria-label": "找人", oninput: () => draw() });
    const dialog = el("dialog.switcher", { onclose: () => (dialog.remove(), done(choice)), onclick: (event) => event.target === dialog && dialog.close() },
      el("header", null, el("h2", null, title), el("button.plain", { type: "button", "aria-label": "关闭", onclick: () => dialog.close() }, icon("close"))),
      search, list);
    const take = (person, platform) => () => ((choice = { person, platform }), dialog.close());
    const draw = () => {
      const found = byDepartment(world, search.value.trim());
      fill(list, found.size ? [...found].map(([department, people]) => section(department, people, take)) : el("p.nothing", null, "没有找到"));
    };
    draw();
    document.body.append(dialog);
    dialog.showModal();
  });
}

function byDepartment(world, words) {
  const departments = new Map();
  for (const phone of world.phones) {
    if (words && !`${phone.name} ${phone.position} ${phone.department} ${phone.person}`.includes(words)) continue;
    if (!departments.has(phone.department)) departments.set(phone.department, new Map());
    const people = departments.get(phone.department);
    people.set(phone.person, [...(people.get(phone.person) ?? []), phone]);
  }
  return departments;
}

function section(department, people, take) {
  return el("section", null, el("h3", null, department), el("ul", null, [...people.values()].map((phones) => {
    const { name, position } = phones[0];
    return el("li", null, avatar(name),
      el("span.owner-words", null, el("b", null, name), el("small", null, position)),
      phones.map(({ person, platform, unread }) =>
        el(`button.tag.${platform}`, { type: "button", "aria-label": `${name},${PLATFORM_NAMES[platform]}`, onclick: take(person, platform) }, PLATFORM_NAMES[platform], badge(unread))));
  })));
}
