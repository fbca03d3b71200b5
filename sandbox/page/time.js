/** Times as people in China read them. The business clock of the sandbox; China has had one zone and no summer time since 1991. */

const CHINA_MS = 8 * 3600_000;
const DAY_MS = 86_400_000;
const WEEKDAYS = "日一二三四五六";

let shown = { at: Date.now(), now: Date.now(), frozen: false };

/** Take over what /sandbox/clock answered. */
export function setClock(clock) {
  shown = { at: Date.now(), now: Date.parse(clock.now), frozen: clock.frozen };
}

/** The business time, milliseconds since 1970. */
export function now() {
  return shown.frozen ? shown.now : shown.now + Date.now() - shown.at;
}

function china(ms) {
  const local = new Date(ms + CHINA_MS);
  const two = (number) => String(number).padStart(2, "0");
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    date: local.getUTCDate(),
    weekday: `周${WEEKDAYS[local.getUTCDay()]}`,
    time: `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}`,
    seconds: two(local.getUTCSeconds()),
    day: Math.floor((ms + CHINA_MS) / DAY_MS),
    iso: local.toISOString().slice(0, 16),
  };
}

/** {date: "9月12日", weekday: "周六", time: "14:23", seconds: "05", iso: "2026-09-12T14:23", day: days since 1970} */
export function parts(ms) {
  const at = china(ms);
  return { ...at, date: `${at.month}月${at.date}日` };
}

/** As chats write it: 14:23, 昨天 14:23, 周三 14:23, 9月12日 14:23; with `short` only the first word of it. */
export function chatTime(ms, short = false) {
  const [at, today] = [china(ms), china(now())];
  const days = today.day - at.day;
  if (days === 0) return at.time;
  const far = at.year === today.year ? `${at.month}月${at.date}日` : `${at.year}年${at.month}月${at.date}日`;
  const day = days === 1 ? "昨天" : days > 1 && days < 7 ? at.weekday : far;
  return short ? day : `${day} ${at.time}`;
}

/** The instant that a Chinese wall clock ("2026-09-12T14:23") shows, ISO in UTC. */
export function fromWallClock(text) {
  return new Date(`${text}:00+08:00`).toISOString();
}
