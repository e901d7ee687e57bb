// What the server is asked. Searches go to the engine as they are; the server refuses all else.

export class Failed extends Error {}

export async function get(path) {
  return answer(await fetch(path));
}

export async function search(index, body, signal) {
  return answer(await fetch(`search/${index}/_search`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
  }));
}

async function answer(response) {
  const content = await response.json();
  if (!response.ok) throw new Failed(reason(content, response.status));
  const failures = content._shards?.failures;
  if (failures?.length) throw new Failed(failures[0].reason?.reason ?? "a part of the index failed");
  return content;
}

function reason(content, status) {
  const error = content.error;
  if (typeof error === "string") return error;
  const cause = error?.root_cause?.[0] ?? error;
  return cause?.reason ?? `the search engine answered with status ${status}`;
}

export const RANGES = { "": "All time", "15m": "Last 15 minutes", "1h": "Last hour", "24h": "Last 24 hours",
  "7d": "Last 7 days", "30d": "Last 30 days", "365d": "Last year", custom: "From … to …" };
const UNITS = { m: 60e3, h: 3600e3, d: 86400e3 };

/** The queries that narrow every panel of a page. */
export function narrowing(page, pages, said) {
  return [
    ...timeRange(pages.time_field, said),
    ...pages.filters.filter(({ field }) => said[field]).map(({ field }) => ({ term: { [field]: said[field] } })),
    ...(said.query ? [{ query_string: { query: said.query, analyze_wildcard: true, lenient: true } }] : []),
    ...asked(page, said.ask),
  ];
}

export function timeRange(field, said) {
  const bounds = {};
  if (said.range === "custom") {
    // What people write is UTC, as everything on the page.
    if (said.from) bounds.gte = `${said.from}Z`;
    if (said.to) bounds.lt = `${said.to}Z`;
  } else if (said.range) {
    bounds.gte = new Date(Date.now() - parseInt(said.range, 10) * UNITS[said.range.at(-1)]).toISOString();
  }
  return Object.keys(bounds).length ? [{ range: { [field]: bounds } }] : [];
}

function asked(page, value) {
  if (!page.ask || !value) return [];
  const should = page.ask.fields.flatMap((field) =>
    page.ask.forms.map((form) => ({ term: { [field]: form.replace("{value}", value) } })));
  return [{ bool: { should, minimum_should_match: 1 } }];
}

export function narrowed(body, filters) {
  const copy = structuredClone(body);
  copy.query.bool.filter.push(...filters);
  return copy;
}

const STEPS = [1e3, 5e3, 10e3, 30e3, 60e3, 300e3, 600e3, 1800e3, 3600e3, 3 * 3600e3, 6 * 3600e3, 12 * 3600e3,
  86400e3, 7 * 86400e3, 30 * 86400e3, 365 * 86400e3];
const MOST_STEPS = 90;

/** The time between two points of a chart, so that a range has not too many. */
export function interval(from, to) {
  return STEPS.find((step) => (to - from) / step <= MOST_STEPS) ?? STEPS.at(-1);
}

export function setStep(body, buckets, milliseconds) {
  let aggregations = body.aggs;
  for (const { name, kind } of buckets) {
    const aggregation = aggregations[name];
    if (kind === "time") aggregation.date_histogram.fixed_interval = `${milliseconds}ms`;
    aggregations = aggregation.aggs;
  }
}
