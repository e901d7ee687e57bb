// One panel that a search fills: what an answer becomes in it.

import { chart } from "./charts.js";
import { documents } from "./documents.js";
import { element, markdown, nothing, table } from "./elements.js";
import { narrowed, setStep } from "./narrowing.js";
import { search } from "./requests.js";
import { numbersOf, rows } from "./rows.js";
import { moment, number } from "./values.js";

/** Ask for a panel, and give what is to be seen in it. */
export async function drawn(page, panel, { filters, time, signal }) {
  if (panel.kind === "markdown") return markdown(panel.text);
  const body = narrowed(panel.body, filters);
  if (body.aggs) setStep(body, panel.buckets, time.step);
  const answer = await search(page.index, body, signal);
  if (panel.kind === "records") return documents(panel.title, panel.columns, answer.hits.hits);
  const found = rows(panel, answer);
  if (!found.length) return [nothing()];
  if (panel.kind === "metric") return [metric(panel, found)];
  if (panel.kind === "table") return [asTable(panel, found)];
  return chart(panel, found, time);
}

function metric(panel, found) {
  const numbers = numbersOf(panel);
  return element("dl", { class: "numbers" }, found.flatMap(({ keys, values }) =>
    values.map((value, at) => {
      const label = [...keys, ...(keys.length && numbers.length === 1 ? [] : [numbers[at].label])].join(", ");
      return element("div", {},
        element("dt", { class: label === panel.title && "unseen" }, label),
        element("dd", {}, number(value, numbers[at].unit, true)));
    })));
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
