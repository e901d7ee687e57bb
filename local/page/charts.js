// Charts, by Chart.js; each has its numbers in a table below it, for those who do not see it.

import { element, table } from "./elements.js";
import { axis, numbersOf, series, shares } from "./rows.js";
import { moment, number } from "./values.js";

const { Chart } = globalThis;
const SERIES = 10;
const drawn = new Set();

export function forget() {
  for (const chart of drawn) chart.destroy();
  drawn.clear();
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const ofSeries = (at) => colour(`--series-${(at % SERIES) + 1}`);

export function chart(panel, found, step) {
  const overTime = panel.buckets.at(-1).kind === "time";
  const keys = axis(panel, found, step);
  const labels = keys.map((key) => (overTime ? moment(key) : key));
  let all = series(panel, found, keys);
  if (panel.percent) all = shares(all);
  const canvas = element("canvas", { role: "img", "aria-label": said(panel, labels, all) });
  const place = element("div", { class: "chart" }, canvas);
  const numbers = table(`${panel.title}: its numbers`,
    [{ label: panel.buckets[overTime ? panel.buckets.length - 1 : 0].label, moment: overTime },
      ...all.map(({ label }) => ({ label, number: true }))],
    labels.map((label, at) => [label, ...all.map((one) => number(one.data[at], one.unit))]));
  queueMicrotask(() => draw(canvas, panel, labels, all));
  return [place, element("details", {}, element("summary", {}, "Numbers of this chart"), numbers)];
}

function said(panel, labels, all) {
  const shape = panel.kind === "pie" ? "Pie" : panel.kind === "bar" ? "Bars" : "Chart over time";
  const largest = all.map((one) => ({ ...one, most: Math.max(...one.data.map((each) => each ?? 0)) }))
    .slice(0, 3).map((one) => `${one.label} up to ${number(one.most, one.unit)}`);
  return `${shape}: ${panel.title}. ${labels.length} values from ${labels[0]} to ${labels.at(-1)}; ${largest.join("; ")}.`;
}

function draw(canvas, panel, labels, all) {
  drawn.add(new Chart(canvas, {
    type: { line: "line", area: "line", columns: "bar", bar: "bar", pie: "pie" }[panel.kind],
    data: { labels, datasets: all.map((one, at) => dataset(panel, one, at, all.length)) },
    options: options(panel, all),
  }));
}

function dataset(panel, one, at, count) {
  const single = panel.kind === "pie" || (panel.kind === "bar" && count === 1 && numbersOf(panel).length === 1);
  const colours = panel.kind === "pie" ? one.data.map((_, each) => ofSeries(each)) : ofSeries(single ? 0 : at);
  return {
    label: one.label, unit: one.unit, data: one.data, backgroundColor: colours,
    borderColor: panel.kind === "pie" ? colour("--surface") : colours,
    borderWidth: panel.kind === "bar" || panel.kind === "columns" ? 0 : panel.kind === "pie" ? 1 : 2,
    fill: panel.kind === "area" && (at ? "-1" : "origin"), pointRadius: one.data.length === 1 ? 4 : 0, pointHitRadius: 8,
    spanGaps: true, maxBarThickness: panel.kind === "bar" ? 24 : undefined,
  };
}

function options(panel, all) {
  const pie = panel.kind === "pie";
  const stacked = ["area", "columns", "bar"].includes(panel.kind);
  const unit = all[0]?.unit;
  const value = { stacked, beginAtZero: true, max: panel.percent ? 100 : undefined, grid: { color: colour("--line") },
    ticks: { color: colour("--quiet"), callback: (each) => number(each, unit, true) } };
  const key = { stacked, grid: { display: false }, ticks: { color: colour("--quiet"), autoSkip: panel.kind !== "bar", maxRotation: 0,
    callback(each) { const label = String(this.getLabelForValue(each)); return label.length > 28 ? `${label.slice(0, 27)}…` : label; } } };
  const across = panel.kind === "bar";
  return {
    animation: false, responsive: true, maintainAspectRatio: false, indexAxis: across ? "y" : "x",
    interaction: { mode: pie ? "nearest" : "index", axis: across ? "y" : "x", intersect: pie },
    scales: pie ? {} : across ? { x: value, y: key } : { x: key, y: value },
    plugins: {
      legend: { display: pie || all.length > 1, position: pie ? "right" : "bottom", labels: { color: colour("--text"), boxWidth: 12 } },
      tooltip: { callbacks: { label: (item) => ` ${pie ? item.label : item.dataset.label}: ${number(item.raw, item.dataset.unit)}` } },
    },
  };
}
