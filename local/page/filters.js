// The form above all pages. What it says stands in the page's address, so that it can be shared.

import { element } from "./elements.js";
import { RANGES } from "./time.js";

const form = document.getElementById("filters");
let narrowedBy;

/** What the address says: the page's name, and what narrows it. */
export function said() {
  const [name, rest = ""] = location.hash.slice(1).split("?");
  return { ...Object.fromEntries(new URLSearchParams(rest)), page: unescaped(name) };
}

function unescaped(name) {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // as somebody wrote it by hand
  }
}

export function address(page, narrowing) {
  const { page: _, ...rest } = narrowing;
  const named = new URLSearchParams(Object.entries(rest).filter(([, value]) => value));
  return `#${encodeURIComponent(page)}${named.size ? `?${named}` : ""}`;
}

export function build(pages) {
  narrowedBy = pages.filters.map(({ field }) => field);
  form.replaceChildren(
    select("range", "Time", Object.entries(RANGES)),
    input("from", "From (UTC)", "datetime-local"), input("to", "To (UTC)", "datetime-local"),
    ...pages.filters.map(({ field, label }) => select(field, label, [["", "All"]])),
    input("ask", "", "search"),
    input("query", 'Query (Lucene), as source.ip:"192.0.2.0/24"', "search"),
    input("text", "Text anywhere in a rejected record, or in its reason", "search"),
    element("button", { type: "submit" }, "Search"),
    element("button", { type: "reset" }, "Clear"));
  const changed = () => { location.hash = address(said().page, Object.fromEntries(new FormData(form))); };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // The same search again asks again: new records may have come.
    const before = location.hash;
    changed();
    if (location.hash === before) dispatchEvent(new HashChangeEvent("hashchange"));
  });
  form.addEventListener("change", (event) => { if (event.target.matches("select")) changed(); });
  form.addEventListener("reset", () => { location.hash = address(said().page, {}); });
}

/** Let the form say what the address says, and show what this page uses of it. */
export function show(now, page) {
  const used = uses(page, now);
  for (const control of form.querySelectorAll("[name]")) {
    // Of a value that is not offered the address is right: it narrows the panels all the same.
    if (control.tagName === "SELECT") offer(control, now[control.name]);
    control.value = now[control.name] ?? "";
    control.parentElement.hidden = !used.includes(control.name);
  }
  form.elements.ask.parentElement.firstChild.textContent = page.ask?.label ?? "";
  form.querySelector("[type=submit]").textContent = used.length ? "Search" : "Refresh";
  form.querySelector("[type=reset]").hidden = !used.length;
}

function uses(page, now) {
  const oneType = page.log_types?.length === 1;
  const ofAll = ["range", ...narrowedBy.filter((field) => field !== "log.type" || !oneType || now[field]), page.ask && "ask", "query"];
  const used = page.uses ?? ofAll;
  return used.includes("range") && now.range === "custom" ? [...used, "from", "to"] : used;
}

/** Offer values to choose from, whatever is chosen now. */
export function options(field, values) {
  const control = form.elements[field];
  const chosen = control.value;
  const offered = [...new Set(values)].filter(Boolean).sort();
  control.replaceChildren(element("option", { value: "" }, "All"), ...offered.map((value) => element("option", { value }, value)));
  offer(control, chosen);
  control.value = chosen;
}

/** Mark what is wrong: the query, or without one the value that the page is about; or that nothing is. */
export function invalid(wrong) {
  const { query, ask } = form.elements;
  query.setAttribute("aria-invalid", String(wrong && Boolean(query.value)));
  ask.setAttribute("aria-invalid", String(wrong && !query.value && Boolean(ask.value)));
}

function offer(control, value) {
  if (value && ![...control.options].some((option) => option.value === value)) control.append(element("option", { value }, value));
}

function select(name, label, offered) {
  return element("label", {}, label, element("select", { name }, offered.map(([value, text]) => element("option", { value }, text))));
}

function input(name, label, type) {
  const more = type === "search" ? { "aria-errormessage": "error" } : { step: "1" };
  return element("label", { class: type === "search" && "wide" }, label,
    element("input", { name, type, autocomplete: "off", spellcheck: "false", ...more }));
}
