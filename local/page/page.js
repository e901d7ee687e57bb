// The page: which of the pages is shown, and what all of its panels have in common.

import { forget } from "./charts.js";
import { element, fill, panel } from "./elements.js";
import { address, build, invalid, options, said, show } from "./filters.js";
import { narrowing, timeRange } from "./narrowing.js";
import { newest } from "./newest.js";
import { drawn } from "./panels.js";
import { pipeline } from "./pipeline.js";
import { rejected } from "./rejected.js";
import { get, search } from "./requests.js";
import { between, DAY, interval } from "./time.js";
import { moment, number } from "./values.js";

const OWN_PAGES = [rejected, pipeline];
const MOST_OPTIONS = 100;
const IN_QUOTES = "A value with a slash, a colon or a space has to be in quotes, as source.ip:\"192.0.2.0/24\".";
const place = (id) => document.getElementById(id);
let pages;
let current = new AbortController();
let shown;

async function start() {
  try {
    pages = await get("pages.json");
  } catch (error) {
    place("error").textContent = `The pages cannot be read: ${error.message}`;
    return;
  }
  build(pages);
  place("skip").addEventListener("click", (event) => {
    // The address says which page is shown: it is not the link's to change.
    event.preventDefault();
    place("main").focus();
  });
  addEventListener("hashchange", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  await draw();
}

async function draw() {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const now = said();
  const page = [...pages.pages, ...OWN_PAGES].find(({ name }) => name === now.page) ?? pages.pages[0];
  head(page, now);
  if (now.page && now.page !== page.name) place("error").textContent = `There is no page ${now.page.slice(0, 80)}: this is the first.`;
  place("panels").setAttribute("aria-busy", "true");
  try {
    const status = page.draw ? await drawOwn(page, now, signal) : await drawPanels(page, now, signal);
    if (!signal.aborted) place("status").replaceChildren(...status);
  } catch (error) {
    if (signal.aborted) return;
    clear();
    invalid(error.status === 400);
    place("status").textContent = "";
    place("error").textContent = error.status === 400 && now.query ? `${error.message}. ${IN_QUOTES}` : error.message;
  }
  if (signal.aborted) return;
  place("panels").setAttribute("aria-busy", "false");
  place("main").dataset.drawn = location.hash;
}

function head(page, now) {
  delete place("main").dataset.drawn;
  place("detail").close();
  place("pages").replaceChildren(...pages.pages.map((one) => link(one, page, now)));
  place("own-pages").replaceChildren(...OWN_PAGES.map((one) => link(one, page, now)));
  document.title = `${page.title} · Service Logs`;
  place("title").textContent = page.title;
  place("about").textContent = page.about;
  place("status").textContent = "Searching …";
  place("error").textContent = "";
  show(now, page);
  invalid(false);
  if (shown && shown !== page.name) {
    // What is still there is another page's. A screen reader goes on at the title of this one.
    clear();
    place("title").focus();
  }
  shown = page.name;
}

function link({ name, title, ask }, page, now) {
  const href = address(name, { ...now, ask: ask && now.ask });
  return element("li", {}, element("a", { href, "aria-current": name === page.name && "page" }, title));
}

function clear() {
  forget();
  place("panels").replaceChildren();
}

async function drawOwn(page, now, signal) {
  const { status, sections, offered = {} } = await page.draw(now, signal);
  if (signal.aborted) return [];
  clear();
  place("panels").replaceChildren(...sections);
  for (const [field, values] of Object.entries(offered)) options(field, values);
  return [status];
}

async function drawPanels(page, now, signal) {
  const filters = narrowing(page, pages, now);
  const [found] = await Promise.all([extent(page, filters, signal), offer(page, now, signal)]);
  if (signal.aborted) return [];
  const narrowed = { filters, time: { ...found, step: interval(found.from, found.to) }, signal };
  clear();
  const sections = page.panels.map((one) => panel(one));
  const last = newest(page, pages.time_field, narrowed);
  place("panels").replaceChildren(...sections, last.section);
  const wanted = () => !signal.aborted;
  await Promise.all([last.loaded, ...page.panels.map((one, at) =>
    fill(sections[at].querySelector(".content"), wanted, () => drawn(page, one, narrowed)))]);
  return summary(page, now, found, filters);
}

function summary(page, now, { total, from, to, fullest }, filters) {
  if (!total) {
    return [filters.length ? "No records match what is chosen above." : "No records yet: `make demo` delivers sample logs."];
  }
  const text = total === 1 ? `1 record, of ${moment(from)} UTC.` : `${number(total)} records from ${moment(from)} to ${moment(to)} UTC.`;
  if (now.range || to - from < 2 * DAY) return [text];
  // Of several years charts over time show little: from here it is one step to a day that has something.
  const link = (name, first, end) => element("a", { href: address(page.name, { ...now, ...between(first, end) }) }, name);
  return [text, " Show ", link("the newest day", to - DAY, to + 1000), " or ", link("the day that has most", fullest, fullest + DAY), "."];
}

async function extent(page, filters, signal) {
  const field = pages.time_field;
  const body = { size: 0, track_total_hits: true, query: { bool: { filter: filters } },
    aggs: { from: { min: { field } }, to: { max: { field } },
      days: { date_histogram: { field, fixed_interval: `${DAY}ms`, min_doc_count: 1 } } } };
  const { hits, aggregations } = await search(page.index, body, signal);
  const days = aggregations?.days?.buckets ?? [];
  const most = Math.max(...days.map((day) => day.doc_count));
  return { total: hits.total.value, from: aggregations?.from?.value ?? 0, to: aggregations?.to?.value ?? 0,
    fullest: days.findLast((day) => day.doc_count === most)?.key };
}

/** Offer the accounts, Regions and types that there are in this time. */
async function offer(page, now, signal) {
  const aggs = Object.fromEntries(pages.filters.map(({ field }, at) => [`by_${at}`, { terms: { field, size: MOST_OPTIONS } }]));
  const body = { size: 0, query: { bool: { filter: timeRange(pages.time_field, now) } }, aggs };
  const { aggregations } = await search(page.index, body, signal);
  if (signal.aborted) return;
  pages.filters.forEach(({ field }, at) =>
    options(field, (aggregations?.[`by_${at}`]?.buckets ?? []).map(({ key }) => String(key))));
}

start();
