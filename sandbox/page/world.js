/** Who works at the company and who has which phone: what /sandbox/people and /sandbox/phones say. */

import * as api from "./api.js";

const MOST_HINTS = 3;

export const PLATFORM_NAMES = { dingtalk: "钉钉", wecom: "企业微信" };
export const SHORT_NAMES = { dingtalk: "钉钉", wecom: "企微" };

export class World {
  bot = ""; // what the private chats are called, known from the first phone on
  people = new Map();
  phones = [];

  async load() {
    const [{ people }, phones] = await Promise.all([api.people(), api.phones()]);
    this.people = new Map(people.map((person) => [person.key, person]));
    this.phones = phones;
  }

  async loadPhones() {
    this.phones = await api.phones();
  }

  /** The Phone of the control API, or undefined. */
  phone(person, platform) {
    return this.phones.find((each) => each.person === person && each.platform === platform);
  }

  /** On which platforms a person is: one human being, perhaps on both. */
  platformsOf(person) {
    return Object.keys(PLATFORM_NAMES).filter((platform) => this.phone(person, platform));
  }

  /** What this person might type next: feedback for each of the people reporting to them, and help. */
  hints(person) {
    const reports = [...this.people.values()].filter((each) => each.supervisor === person && !each.left);
    return [...reports.slice(0, MOST_HINTS).map((each) => `反馈 ${each.name}`), "帮助"];
  }
}
