// Charts, by Chart.js; each has its numbers in a table below it, for those who do not see it.

import { element, table } from "./elements.js";
import { address, said } from "./filters.js";
import { axis, numbersOf, series, shares } from "./rows.js";
import { between, DAY } from "./time.js";
import { moment, number, shortened } from "./values.js";

const { Chart } = globalThis;
const SERIES = 15;
/** What tells lines apart besides their colours. */
const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2]];
/** So many characters of a label stand beside an axis, in a legend, and where there is room. */
const BESIDE_AXIS = 28, IN_LEGEND = 40, IN_TEXT = 80;
const TYPES = { line: "line", area: "line", columns: "bar", bar: "bar", pie: "pie" };
const charts = new Set();

export function forget() {
  for (const chart of charts) chart.destroy();
  charts.clear();
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const ofSeries = (at) => colour(`--series-${(at % SERIES) + 1}`);

/** Draw what was found for a panel over its keys: moments in milliseconds, or values. */
export function chart(panel, found, time) {
  const overTime = panel.buckets.at(-1).kind === "time";
  const keys = axis(panel, found, time);
  const all = series(panel, found, keys);
  const shown = { panel, keys, overTime, step: time.step, all: panel.percent ? shares(all) : all,
    labels: keys.map((key) => (overTime ? moment(key) : key)) };
  const canvas = element("canvas", { role: "img", class: overTime && "points", "aria-label": description(shown) });
  const place = element("div", { class: "chart" }, canvas);
  if (panel.kind === "bar") place.style.height = `${Math.max(17, 4 + 1.4 * keys.length)}rem`;
  queueMicrotask(() => draw(canvas, shown));
  return [place, element("details", {},
    element("summary", {}, "Numbers", element("span", { class: "unseen" }, ` of ${panel.title}`)), numbers(shown))];
}

function description({ panel, labels, all }) {
  const shape = { pie: "Pie", bar: "Bars" }[panel.kind] ?? "Chart over time";
  const most = all.slice(0, 3).map((one) =>
    `${shortened(one.label, IN_TEXT)} up to ${number(Math.max(...one.data.map((each) => each ?? 0)), one.unit)}`);
  const [first, last] = [labels[0], labels.at(-1)].map((one) => shortened(one, IN_TEXT));
  return `${shape}: ${panel.title}. ${labels.length} values from ${first} to ${last}; ${most.join("; ")}.`;
}

function numbers({ panel, keys, overTime, step, labels, all }) {
  const bucket = panel.buckets[overTime ? panel.buckets.length - 1 : 0];
  const first = (at) => (overTime ? element("a", { href: closer(keys[at], step), title: "Show this time alone" }, labels[at]) : labels[at]);
  return table(`${panel.title}: its numbers`,
    [{ label: bucket.label, moment: overTime }, ...all.map(({ label }) => ({ label, number: true }))],
    labels.map((_, at) => [first(at), ...all.map((one) => number(one.data[at], one.unit))]));
}

/** The address of this page for the time of one point of a chart. */
function closer(from, step) {
  const now = said();
  return address(now.page, { ...now, ...between(from, from + step) });
}

function draw(canvas, shown) {
  const { panel, all } = shown;
  const pie = panel.kind === "pie";
  const total = (all[0]?.data ?? []).reduce((sum, one) => sum + one, 0);
  // A pie without its shares is told by its colours alone.
  const share = (at) => `${number(Math.round((1000 * all[0].data[at]) / total) / 10)} %`;
  const labels = pie ? shown.labels.map((label, at) => `${shortened(label, IN_LEGEND)}: ${share(at)}`) : shown.labels;
  charts.add(new Chart(canvas, {
    type: TYPES[panel.kind],
    data: { labels, datasets: all.map((one, at) => dataset(panel, one, at)) },
    options: {
      animation: false, responsive: true, maintainAspectRatio: false, ...(pie ? ofPie(shown) : ofAxes(shown)),
    },
  }));
}

function dataset({ kind }, one, at) {
  const both = { label: shortened(one.label, IN_LEGEND), unit: one.unit, data: one.data };
  if (kind === "pie") {
    return { ...both, backgroundColor: one.data.map((_, each) => ofSeries(each)), borderColor: colour("--surface"), borderWidth: 1 };
  }
  if (kind === "bar" || kind === "columns") {
    return { ...both, backgroundColor: ofSeries(at), maxBarThickness: kind === "bar" ? 24 : undefined };
  }
  return { ...both, backgroundColor: ofSeries(at), borderColor: ofSeries(at), borderWidth: 2, spanGaps: true,
    borderDash: kind === "line" ? DASHES[at % DASHES.length] : [], fill: kind === "area" && (at ? "-1" : "origin"),
    pointRadius: one.data.filter((each) => each !== null).length === 1 ? 4 : 0, pointHitRadius: 8 };
}

function ofPie({ labels }) {
  return { plugins: { legend: { position: "right", labels: legend(false) }, tooltip: tooltip((item) => labels[item.dataIndex]) } };
}

function ofAxes({ panel, keys, overTime, step, all }) {
  const across = panel.kind === "bar";
  const stacked = panel.kind !== "line";
  // Of several measures the legend has the names.
  const measure = numbersOf(panel).length === 1 && !panel.percent ? panel.measures[0].label : "";
  const title = (text) => ({ display: Boolean(text), text, color: colour("--quiet") });
  const whole = !panel.percent && numbersOf(panel).every(({ kind }) => kind === "count" || kind === "distinct");
  const value = { stacked, beginAtZero: true, max: panel.percent ? 100 : undefined, grid: { color: colour("--line") },
    title: title(shortened(measure, IN_LEGEND)),
    ticks: { color: colour("--quiet"), maxRotation: 0, precision: whole ? 0 : undefined, callback: (each) => number(each, all[0]?.unit, true) } };
  const written = overTime ? ofTime(keys, step) : { title: "", tick: (one) => shortened(one, BESIDE_AXIS) };
  const key = { stacked, grid: { display: false }, title: title(written.title),
    ticks: { color: colour("--quiet"), autoSkip: overTime, autoSkipPadding: 16, maxRotation: 0, callback: (at) => written.tick(keys[at]) } };
  // One series needs a legend too where its name is a value, as an account.
  const named = all.length > 1 || panel.buckets.length > 1;
  return {
    indexAxis: across ? "y" : "x", interaction: { mode: "index", axis: across ? "y" : "x", intersect: false },
    scales: across ? { x: value, y: key } : { x: key, y: value },
    plugins: { legend: { display: named, position: "bottom", labels: legend(panel.kind === "line") }, tooltip: tooltip((item) => all[item.datasetIndex].label) },
    onClick: overTime ? (_, [item]) => { if (item) location.hash = closer(keys[item.index], step); } : undefined,
  };
}

/** How the moments of an axis are written: what all of them have in common is its title. */
function ofTime(keys, step) {
  const [first, last] = [keys[0], keys.at(-1)].map(moment);
  const seconds = step < 60e3 ? 19 : 16;
  if (step >= DAY) return { title: "UTC", tick: (key) => moment(key).slice(0, 10) };
  if (first.slice(0, 10) === last.slice(0, 10)) return { title: `${first.slice(0, 10)}, UTC`, tick: (key) => moment(key).slice(11, seconds) };
  return { title: "UTC", tick: (key) => [moment(key).slice(11, seconds), moment(key).slice(0, 10)] };
}

function legend(lines) {
  const ofLines = { usePointStyle: true, pointStyle: "line", pointStyleWidth: 28, generateLabels: dashed };
  return { color: colour("--text"), ...(lines ? ofLines : { boxWidth: 12 }) };
}

/** What Chart.js writes into a legend, with the dashes of the lines: by itself it has those of their points. */
function dashed(chart) {
  const { generateLabels } = Chart.defaults.plugins.legend.labels;
  return generateLabels(chart).map((one) => ({ ...one, lineDash: chart.data.datasets[one.datasetIndex].borderDash }));
}

function tooltip(name) {
  return { callbacks: { label: (item) => ` ${shortened(name(item), IN_TEXT)}: ${number(item.raw, item.dataset.unit)}` } };
}
