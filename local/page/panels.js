// One panel: its place on the page, and what an answer becomes in it.

import { chart } from "./charts.js";
import { documents } from "./documents.js";
import { element, markdown, table } from "./elements.js";
import { narrowed, search, setStep } from "./requests.js";
import { numbersOf, rows } from "./rows.js";
import { moment, number } from "./values.js";

const NOTHING = "Nothing found.";

export function section(panel) {
  const id = `panel-${panel.name}`;
  return element("section", { class: `panel w${panel.width}`, "aria-labelledby": id, "data-panel": panel.name, "data-kind": panel.kind },
    element("h2", { id }, panel.title),
    panel.about ? element("p", { class: "about" }, panel.about) : null,
    element("div", { class: "content", "aria-busy": "true" }));
}

/** Ask for a panel and draw it; say in its place why that failed. */
export async function fill(place, page, panel, { filters, step, signal }) {
  const content = place.querySelector(".content");
  try {
    content.replaceChildren(...await drawn(page, panel, filters, step, signal));
  } catch (error) {
    if (signal.aborted) return;
    content.replaceChildren(element("p", { class: "wrong" }, `Not drawn: ${error.message}`));
  }
  content.setAttribute("aria-busy", "false");
}

async function drawn(page, panel, filters, step, signal) {
  if (panel.kind === "markdown") return markdown(panel.text);
  const body = narrowed(panel.body, filters);
  if (body.aggs) setStep(body, panel.buckets, step);
  const answer = await search(page.index, body, signal);
  if (panel.kind === "records") return documents(panel.title, panel.columns, answer.hits.hits);
  const found = rows(panel, answer);
  if (!found.length) return [element("p", { class: "about" }, NOTHING)];
  if (panel.kind === "metric") return [metric(panel, found)];
  if (panel.kind === "table") return [asTable(panel, found)];
  return chart(panel, found, step);
}

function metric(panel, found) {
  const numbers = numbersOf(panel);
  return element("dl", { class: "numbers" }, found.flatMap(({ keys, values }) =>
    values.map((value, at) => element("div", {},
      element("dt", {}, [...keys, ...(keys.length && numbers.length === 1 ? [] : [numbers[at].label])].join(", ")),
      element("dd", {}, number(value, numbers[at].unit, true))))));
}

function asTable(panel, found) {
  const numbers = numbersOf(panel);
  const columns = [
    ...panel.buckets.map(({ label, kind }) => ({ label, moment: kind === "time" })),
    ...numbers.map(({ label }) => ({ label, number: true })),
  ];
  return table(panel.title, columns, found.map(({ keys, values }) => [
    ...keys.map((key, at) => (panel.buckets[at].kind === "time" ? moment(key) : key)),
    ...values.map((value, at) => number(value, numbers[at].unit)),
  ]));
}
