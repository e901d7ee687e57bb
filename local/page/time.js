// The time that is chosen: what each choice means, and how a chart divides what there is of it.

import { Failed } from "./requests.js";

export const RANGES = { "": "All time", "15m": "Last 15 minutes", "1h": "Last hour", "24h": "Last 24 hours",
  "7d": "Last 7 days", "30d": "Last 30 days", "365d": "Last year", custom: "From … to …" };
export const DAY = 86400e3;
const UNITS = { m: 60e3, h: 3600e3, d: DAY };

/** The bounds of the chosen time in milliseconds: from is in it, to is not; infinite where there is none. */
export function bounds({ range = "", from, to }) {
  if (!(range in RANGES)) throw new Failed(`the time ${range.slice(0, 80)} is not known: choose one above`);
  if (range === "custom") return inOrder({ from: from ? parsed(from) : -Infinity, to: to ? parsed(to) : Infinity });
  return { from: range ? Date.now() - parseInt(range, 10) * UNITS[range.at(-1)] : -Infinity, to: Infinity };
}

function inOrder(chosen) {
  if (chosen.from >= chosen.to) throw new Failed("the time ends before it begins: choose a To that is later than From");
  return chosen;
}

/** What people write is UTC, as everything on the page. */
function parsed(written) {
  const found = Date.parse(`${written}Z`);
  if (Number.isNaN(found)) throw new Failed(`the time ${written.slice(0, 80)} is not one, as 2026-11-20T08:20:00 is`);
  return found;
}

/** What the address says of the time between two moments. */
export function between(from, to) {
  const [first, last] = [from, to].map((one) => new Date(one).toISOString().slice(0, 19));
  return { range: "custom", from: first, to: last };
}

const STEPS = [1e3, 5e3, 10e3, 30e3, 60e3, 300e3, 600e3, 1800e3, 3600e3, 3 * 3600e3, 6 * 3600e3, 12 * 3600e3,
  DAY, 7 * DAY, 30 * DAY, 365 * DAY];
const MOST_STEPS = 90;

/** The time between two points of a chart, so that it has not too many. */
export function interval(from, to) {
  return STEPS.find((step) => (to - from) / step <= MOST_STEPS) ?? STEPS.at(-1);
}
