// The page on the state of the pipeline: what became of all that was delivered, and what waits.

import { element, note, panel, table } from "./elements.js";
import { get } from "./requests.js";
import { number, text } from "./values.js";

const COUNTS = { objects: "Objects", records: "Records", indexed: "Indexed", already_there: "There already",
  rejected: "Rejected", filtered: "Filtered" };
const NAMES = Object.keys(COUNTS);
const ABOUT_FILTERED = "Outside LogGroupPrefix are events of other log groups, which an account's subscription brings too.";

export const pipeline = {
  name: "pipeline", title: "State of the pipeline", uses: [], draw,
  about: "What the functions said since the stack is up: of each object its last delivery, of Firehose and the stream all that came. And what waits in the queues.",
};

async function draw(_, signal) {
  const { by_type: byType, waiting, skipped, left_out: leftOut, failures } = await get("pipeline.json", signal);
  const total = Object.fromEntries(NAMES.map((name) => [name, sum(byType.map((one) => one[name]))]));
  const inQueues = sum(Object.values(waiting));
  return {
    status: `${number(total.records)} records, ${number(inQueues)} messages waiting.`,
    sections: [
      panel({ name: "figures", title: "All log types" }, figures({ ...total, inQueues })),
      panel({ name: "by-type", title: "By log type" }, counts(byType),
        note("What comes through Firehose, or through the stream, counts as one object of its log type.")),
      panel({ name: "waiting", title: "Messages waiting in the queues", width: 4 }, queues(waiting),
        note(`${number(skipped)} objects without records, or of no log type, were skipped.`)),
      panel({ name: "left-out", title: "Why records were filtered", about: ABOUT_FILTERED, width: 4 }, filtered(leftOut)),
      panel({ name: "failures", title: "Why messages failed", about: "The latest first.", width: 4 }, reasons(failures)),
    ],
  };
}

function sum(numbers) {
  return numbers.reduce((total, one) => total + one, 0);
}

function figures(values) {
  const labels = { ...COUNTS, inQueues: "Messages waiting" };
  return element("dl", { class: "numbers" }, Object.entries(labels).map(([name, label]) =>
    element("div", {}, element("dt", {}, label), element("dd", {}, number(values[name])))));
}

function counts(byType) {
  if (!byType.length) return note("Nothing was delivered yet: `make demo` delivers sample logs.");
  const columns = [{ label: "Log type" }, ...NAMES.map((name) => ({ label: COUNTS[name], number: true }))];
  return table("Counts by log type", columns, byType.map((one) => [one.log_type, ...NAMES.map((name) => number(one[name]))]));
}

function queues(waiting) {
  return table("Messages in the queues", [{ label: "Queue" }, { label: "Messages", number: true }],
    Object.entries(waiting).map(([name, count]) => [name, number(count)]));
}

function filtered(leftOut) {
  if (!Object.keys(leftOut).length) return note("No record was filtered.");
  return table("Why records were filtered", [{ label: "Reason" }, { label: "Records", number: true }],
    Object.entries(leftOut).map(([reason, count]) => [text(reason), number(count)]));
}

function reasons(failures) {
  if (!failures.length) return note("No message failed.");
  return table("Why messages failed, the latest first", [{ label: "Reason" }], failures.map((one) => [text(one)]));
}
