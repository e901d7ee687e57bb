// From an answer of the engine to rows: the keys of its buckets, and its measures.

import { visible } from "./values.js";

/** The numbers that a panel shows of each innermost bucket: percentiles are several. */
export function numbersOf(panel) {
  return panel.measures.flatMap((measure) =>
    measure.kind === "percentiles"
      ? measure.percents.map((percent) => ({ ...measure, percent, label: `${measure.label}, ${percent} %` }))
      : [measure]);
}

export function rows(panel, answer) {
  const numbers = numbersOf(panel);
  if (!panel.buckets.length) {
    const whole = { ...answer.aggregations, doc_count: answer.hits.total.value };
    return [{ keys: [], values: numbers.map((one) => value(whole, one)) }];
  }
  return [...walk(answer.aggregations ?? {}, panel.buckets, numbers, [])];
}

function* walk(found, buckets, numbers, above) {
  const [bucket, ...inner] = buckets;
  for (const [key, one] of entries(found[bucket.name]?.buckets ?? [], bucket)) {
    const keys = [...above, key];
    if (inner.length) yield* walk(one, inner, numbers, keys);
    else if (one.doc_count) yield { keys, values: numbers.map((each) => value(one, each)) };
  }
}

function entries(found, bucket) {
  if (!Array.isArray(found)) return Object.entries(found);
  return found.map((one) => [bucket.kind === "time" ? one.key : visible(String(one.key_as_string ?? one.key)), one]);
}

function value(bucket, measure) {
  if (measure.kind === "count") return bucket.doc_count;
  const found = bucket[measure.name];
  if (measure.kind !== "percentiles") return found?.value ?? null;
  return found?.values?.[measure.percent.toFixed(1)] ?? null;
}

/** One series for each outer bucket and number, over the labels of the axis. */
export function series(panel, found, axis) {
  const numbers = numbersOf(panel);
  const at = new Map(axis.map((key, index) => [key, index]));
  const made = new Map();
  const overTime = panel.buckets.at(-1).kind === "time";
  for (const { keys, values } of found) {
    const outer = overTime ? keys.slice(0, -1) : keys.slice(1);
    const place = at.get(overTime ? keys.at(-1) : keys[0]);
    values.forEach((one, which) => {
      const label = [...outer, ...(numbers.length > 1 || !outer.length ? [numbers[which].label] : [])].join(", ");
      // Nothing happened: that is zero for a number of records, and no value for an average.
      const empty = ["count", "sum", "distinct"].includes(numbers[which].kind) ? 0 : null;
      if (!made.has(label)) made.set(label, { label, unit: numbers[which].unit, data: axis.map(() => empty) });
      made.get(label).data[place] = one;
    });
  }
  return [...made.values()];
}

/** What a chart has values for: the keys that were found, or all steps of the page's time, so that charts can be compared. */
export function axis(panel, found, { from, to, step }) {
  if (panel.buckets.at(-1).kind !== "time") return [...new Set(found.map(({ keys }) => keys[0]))];
  // A record may have come since the page asked for its time.
  const last = Math.max(to, ...found.map(({ keys }) => keys.at(-1)));
  const all = [];
  // The engine's buckets begin at multiples of the step.
  for (let one = Math.floor(from / step) * step; one <= last; one += step) all.push(one);
  return all;
}

export function shares(all) {
  const totals = all[0]?.data.map((_, at) => all.reduce((sum, one) => sum + (one.data[at] ?? 0), 0)) ?? [];
  return all.map((one) => ({
    ...one, unit: "%", data: one.data.map((each, at) => (totals[at] ? (100 * (each ?? 0)) / totals[at] : 0)),
  }));
}
