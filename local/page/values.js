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

export function text(value) {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(text).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The value of a column: under `fields` of the hit, else at its path in the document. */
export function column(hit, name) {
  const field = hit.fields?.[name];
  if (field !== undefined) return text(field);
  return text(at(hit._source, name));
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
