// How numbers, moments and documents are written.

const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const BYTES = ["B", "KB", "MB", "GB", "TB", "PB"];

export function number(value, unit = "", short = false) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (unit === "bytes" || unit === "megabytes") return bytes(unit === "bytes" ? value : value * 1e6);
  const written = (short && Math.abs(value) >= 1e6 ? SHORT : NUMBER).format(value);
  const suffix = { seconds: " s", milliseconds: " ms" }[unit] ?? (unit && ` ${unit}`);
  return written + suffix;
}

function bytes(value) {
  let power = 0;
  while (Math.abs(value) >= 1000 && power < BYTES.length - 1) { value /= 1000; power += 1; }
  return `${NUMBER.format(Math.round(value * 100) / 100)} ${BYTES[power]}`;
}

/** A moment in UTC, as logs have it. */
export function moment(milliseconds) {
  return new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ");
}

/** Characters that would be nothing to see, or turn round what is beside them; a new line and a tab stay. */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** A text as it can be read by those who see it, whatever a client wrote into a log. */
export function visible(text) {
  return text.replace(UNSEEN, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function text(value) {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(text).join(", ");
  return visible(typeof value === "object" ? JSON.stringify(value) : String(value));
}

const LONG = 300;

/** A text cut to what a table, or a label, has room for: in its midst, for names often differ at their ends. */
export function shortened(text, most = LONG) {
  if (text.length <= most) return text;
  const end = Math.floor(most / 3);
  return `${text.slice(0, most - 1 - end)}…${text.slice(-end)}`;
}

/** The value of a column: under `fields` of the hit, else at its path in the document. */
export function column(hit, name) {
  const field = hit.fields?.[name];
  if (field !== undefined) return text(field.map(asWritten));
  return text(at(hit._source, name));
}

/** An engine gives a float as the double beside it: 0.1 as 0.10000000149011612. */
function asWritten(value) {
  return typeof value === "number" && Math.fround(value) === value ? Number(value.toPrecision(7)) : value;
}

function at(document, path) {
  if (document === null || typeof document !== "object") return undefined;
  if (path in document) return document[path];
  for (let end = path.indexOf("."); end > 0; end = path.indexOf(".", end + 1)) {
    const found = at(document[path.slice(0, end)], path.slice(end + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}
