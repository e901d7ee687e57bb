// What became of all that was delivered: counts, what waits, and the records that were rejected.

import { opener } from "./documents.js";
import { element, table } from "./elements.js";
import { get } from "./requests.js";
import { number } from "./values.js";

const COUNTS = { objects: "Objects and ways", records: "Records", indexed: "Indexed", already_there: "There already",
  rejected: "Rejected", filtered: "Filtered" };

export const OWN_PAGES = [
  { name: "rejected", title: "Rejected records", draw: rejects,
    about: "What could not be indexed, or converted for the lake, why, and the record as it came. The backup bucket has all of them." },
  { name: "pipeline", title: "State of the pipeline", draw: state,
    about: "What the functions say of all that was delivered since the stack is up, and what waits in the queues." },
];

function panel(name, title, ...content) {
  return element("section", { class: "panel w12", "aria-labelledby": `panel-${name}`, "data-panel": name },
    element("h2", { id: `panel-${name}` }, title), content);
}

async function state() {
  const said = await get("pipeline.json");
  const names = Object.keys(COUNTS);
  const total = Object.fromEntries(names.map((name) => [name, said.by_type.reduce((sum, one) => sum + one[name], 0)]));
  const waiting = Object.values(said.waiting).reduce((sum, one) => sum + one, 0);
  const figures = [...names.map((name) => [COUNTS[name], total[name]]), ["Waiting", waiting]];
  const columns = [{ label: "Log type" }, ...names.map((name) => ({ label: COUNTS[name], number: true }))];
  return { status: `${number(total.records)} records, ${number(waiting)} messages waiting.`, sections: [
    panel("figures", "All log types", element("dl", { class: "numbers" }, figures.map(([label, value]) =>
      element("div", {}, element("dt", {}, label), element("dd", {}, number(value)))))),
    panel("by-type", "By log type", table("Counts by log type", columns,
      said.by_type.map((one) => [one.log_type, ...names.map((name) => number(one[name]))]))),
    panel("waiting", "Waiting", table("Messages in the queues", [{ label: "Queue" }, { label: "Messages", number: true }],
      Object.entries(said.waiting).map(([name, count]) => [name, number(count)])),
    element("p", { class: "about" }, `${number(said.skipped)} objects without records, or of no log type, were skipped.`)),
    panel("failures", "Failures", said.failures.length
      ? table("Why messages failed, the latest last", [{ label: "Reason" }], said.failures.map((one) => [one]))
      : element("p", { class: "about" }, "No message failed.")),
  ] };
}

async function rejects(said) {
  const { total, records } = await get("rejects.json");
  const shown = records.filter((one) => matches(one, said));
  const columns = ["", "Delivered", "Log type", "Engine", "Reason", "Record", "Source"].map((label) => ({ label, moment: label === "Delivered" }));
  const lines = shown.map((one) => [
    opener(`record ${one.record_number} of ${one.source}`, "Rejected record", () => whole(one)),
    one.delivered, one.log_type, one.engine, one.reason, String(one.record_number), one.source]);
  return { status: `${number(shown.length)} of ${number(total)} rejected records, the newest first.`,
    sections: [panel("rejected", "Rejected records", table("Rejected records", columns, lines))] };
}

function matches(reject, said) {
  const moment = Date.parse(reject.delivered);
  const from = said.range === "custom" && said.from ? Date.parse(`${said.from}Z`) : -Infinity;
  const to = said.range === "custom" && said.to ? Date.parse(`${said.to}Z`) : Infinity;
  return moment >= from && moment < to
    && (!said["cloud.account_id"] || reject.account_id === said["cloud.account_id"])
    && (!said["cloud.region"] || reject.region === said["cloud.region"])
    && (!said["log.type"] || reject.log_type === said["log.type"])
    && (!said.query || JSON.stringify(reject).toLowerCase().includes(said.query.toLowerCase()));
}

function whole(reject) {
  const { raw, raw_base64: _, ...rest } = reject;
  return [
    table("What is known of it", [{ label: "Name" }, { label: "Value" }], Object.entries(rest).map(([name, value]) => [name, String(value)])),
    element("h3", {}, "The record as it came"), element("pre", {}, raw),
  ];
}
