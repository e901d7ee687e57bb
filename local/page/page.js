// The page: which of the pages is shown, and what all of its panels have in common.

import { forget } from "./charts.js";
import { documents, usualColumns } from "./documents.js";
import { element } from "./elements.js";
import { address, build, invalid, options, said, show } from "./filters.js";
import { fill, section } from "./panels.js";
import { OWN_PAGES } from "./pipeline.js";
import { get, interval, narrowed, narrowing, search, timeRange } from "./requests.js";
import { moment, number } from "./values.js";

const NEWEST = 50;
const MOST_OPTIONS = 100;
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
  try {
    const status = page.draw ? await drawOwn(page, now, signal) : await drawPanels(page, now, signal);
    if (!signal.aborted) place("status").textContent = status;
  } catch (error) {
    if (signal.aborted) return;
    clear();
    invalid(true);
    place("status").textContent = "";
    place("error").textContent = error.message;
  }
  if (!signal.aborted) place("main").dataset.drawn = location.hash;
}

function head(page, now) {
  delete place("main").dataset.drawn;
  place("pages").replaceChildren(...[...pages.pages, ...OWN_PAGES].map(({ name, title, ask }) =>
    element("li", {}, element("a", { href: address(name, { ...now, ask: ask && now.ask }), "aria-current": name === page.name && "page" }, title))));
  document.title = `${page.title} · Service Logs`;
  place("title").textContent = page.title;
  place("about").textContent = page.about;
  place("status").textContent = "Searching …";
  place("error").textContent = "";
  show(now, page);
  invalid(false);
  // Another page: a screen reader goes on at its title.
  if (shown && shown !== page.name) place("title").focus();
  shown = page.name;
}

function clear() {
  forget();
  place("panels").replaceChildren();
}

async function drawOwn(page, now, signal) {
  const { status, sections } = await page.draw(now);
  if (signal.aborted) return "";
  clear();
  place("panels").replaceChildren(...sections);
  return status;
}

async function drawPanels(page, now, signal) {
  const filters = narrowing(page, pages, now);
  const [found] = await Promise.all([extent(page, filters, signal), offer(page, now, signal)]);
  if (signal.aborted) return "";
  const step = interval(found.from, found.to);
  clear();
  const sections = page.panels.map(section);
  place("panels").replaceChildren(...sections, newest(page, filters, signal));
  await Promise.all(page.panels.map((panel, at) => fill(sections[at], page, panel, { filters, step, signal })));
  if (!found.total) return "No records.";
  return `${number(found.total)} records from ${moment(found.from)} to ${moment(found.to)} UTC.`;
}

async function extent(page, filters, signal) {
  const field = pages.time_field;
  const body = { size: 0, track_total_hits: true, query: { bool: { filter: filters } },
    aggs: { from: { min: { field } }, to: { max: { field } } } };
  const { hits, aggregations } = await search(page.index, body, signal);
  return { total: hits.total.value, from: aggregations?.from?.value ?? 0, to: aggregations?.to?.value ?? 0 };
}

/** Offer the accounts, Regions and types that there are in this time, whatever is chosen now. */
async function offer(page, now, signal) {
  const aggs = Object.fromEntries(pages.filters.map(({ field }, at) => [`by_${at}`, { terms: { field, size: MOST_OPTIONS } }]));
  const body = { size: 0, query: { bool: { filter: timeRange(pages.time_field, now) } }, aggs };
  const { aggregations } = await search(page.index, body, signal);
  pages.filters.forEach(({ field }, at) =>
    options(field, (aggregations?.[`by_${at}`]?.buckets ?? []).map(({ key }) => String(key)).sort()));
}

/** The newest documents, of all or of one of the page's saved searches. */
function newest(page, filters, signal) {
  const all = { title: "All records", about: "", columns: null, body: { size: NEWEST, query: { bool: { filter: [] } },
    sort: [{ [pages.time_field]: { order: "desc", unmapped_type: "date_nanos" } }] } };
  const searches = [all, ...page.searches];
  const about = element("p", { class: "about" });
  const content = element("div", { class: "content" });
  const choice = element("select", { onchange: () => load(searches[choice.selectedIndex]) },
    searches.map(({ title }) => element("option", {}, title)));
  const load = async (chosen) => {
    about.textContent = chosen.about;
    try {
      const { hits } = await search(page.index, narrowed(chosen.body, filters), signal);
      content.replaceChildren(...documents("Newest records", chosen.columns ?? usualColumns(hits.hits), hits.hits));
    } catch (error) {
      if (!signal.aborted) content.replaceChildren(element("p", { class: "wrong" }, `Not found: ${error.message}`));
    }
  };
  load(all);
  return element("section", { class: "panel w12", "aria-labelledby": "panel-newest", "data-panel": "newest" },
    element("h2", { id: "panel-newest" }, "Newest records"), element("label", {}, "Search", choice), about, content);
}

start();
