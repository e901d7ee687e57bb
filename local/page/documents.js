// Records in a table, and one of them whole.

import { element, nothing, table } from "./elements.js";
import { column, shortened, text, visible } from "./values.js";

const TIME = "@timestamp";
const COMMON = [TIME, "log.type", "cloud.account_id", "cloud.region"];
const MORE = 4;

/** Columns that these documents have: the common ones, then the first that are no lists and no objects. */
export function usualColumns(hits) {
  const own = Object.entries(hits[0]?._source ?? {}).filter(([name, value]) => !COMMON.includes(name) && typeof value !== "object");
  return [...COMMON, ...own.slice(0, MORE).map(([name]) => name)];
}

/** The documents with these columns, and when each was before them. */
export function documents(caption, named, hits) {
  if (!hits.length) return [nothing()];
  const columns = [TIME, ...named.filter((name) => name !== TIME)];
  const heads = [{ label: "Record" }, ...columns.map((label) => ({ label, moment: label === TIME }))];
  return [table(caption, heads, hits.map((hit) => {
    const cells = columns.map((name) => column(hit, name));
    return [opener(`the record ${shortened(cells.slice(0, 2).join(" "))}`, "Record", () => whole(hit)), ...cells.map((cell) => shortened(cell))];
  }))];
}

/** A button that shows something whole, in a dialog. */
export function opener(what, title, content) {
  return element("button", { type: "button", "aria-label": `Open ${what}`, onclick: () => open(title, content()) }, "Open");
}

function open(title, content) {
  const dialog = document.getElementById("detail");
  document.getElementById("detail-title").textContent = title;
  document.getElementById("detail-content").replaceChildren(...content);
  dialog.showModal();
}

function whole(hit) {
  const fields = [["_index", hit._index], ["_id", hit._id], ...flat(hit._source)];
  return [
    table("Fields", [{ label: "Field" }, { label: "Value" }], fields.map(([name, value]) => [visible(name), text(value)])),
    element("details", {}, element("summary", {}, "As JSON"), element("pre", {}, visible(JSON.stringify(hit._source, null, 2)))),
  ];
}

function* flat(document, above = "") {
  for (const [name, value] of Object.entries(document)) {
    const nested = value !== null && typeof value === "object" && !Array.isArray(value);
    if (nested) yield* flat(value, `${above}${name}.`);
    else yield [above + name, value];
  }
}
