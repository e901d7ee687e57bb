// The queries that narrow every panel of a page, and how they go into a panel's search.

import { bounds } from "./time.js";

export function narrowing(page, pages, said) {
  return [
    ...timeRange(pages.time_field, said),
    ...pages.filters.filter(({ field }) => said[field]).map(({ field }) => ({ term: { [field]: said[field] } })),
    ...(said.query ? [{ query_string: { query: said.query, analyze_wildcard: true, lenient: true } }] : []),
    ...asked(page, said.ask),
  ];
}

export function timeRange(field, said) {
  const { from, to } = bounds(said);
  const range = {};
  if (Number.isFinite(from)) range.gte = new Date(from).toISOString();
  if (Number.isFinite(to)) range.lt = new Date(to).toISOString();
  return Object.keys(range).length ? [{ range: { [field]: range } }] : [];
}

function asked(page, value) {
  if (!page.ask || !value) return [];
  const should = page.ask.fields.flatMap((field) =>
    page.ask.forms.map((form) => ({ term: { [field]: form.replace("{value}", () => value) } })));
  return [{ bool: { should, minimum_should_match: 1 } }];
}

export function narrowed(body, filters) {
  const copy = structuredClone(body);
  copy.query.bool.filter.push(...filters);
  return copy;
}

export function setStep(body, buckets, milliseconds) {
  let aggregations = body.aggs;
  for (const { name, kind } of buckets) {
    const aggregation = aggregations[name];
    if (kind === "time") aggregation.date_histogram.fixed_interval = `${milliseconds}ms`;
    aggregations = aggregation.aggs;
  }
}
