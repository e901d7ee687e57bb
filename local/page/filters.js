// The form above all pages. What it says stands in the page's address, so that it can be shared.

import { element } from "./elements.js";
import { RANGES } from "./requests.js";

const form = document.getElementById("filters");

/** What the address says: the page's name, and what narrows it. */
export function said() {
  const [name, rest = ""] = location.hash.slice(1).split("?");
  return { page: decodeURIComponent(name), ...Object.fromEntries(new URLSearchParams(rest)) };
}

export function address(page, narrowing) {
  const { page: _, ...rest } = narrowing;
  const named = new URLSearchParams(Object.entries(rest).filter(([, value]) => value));
  return `#${encodeURIComponent(page)}${named.size ? `?${named}` : ""}`;
}

export function build(pages) {
  form.replaceChildren(
    select("range", "Time", Object.entries(RANGES)),
    input("from", "From (UTC)", "datetime-local"), input("to", "To (UTC)", "datetime-local"),
    ...pages.filters.map(({ field, label }) => select(field, label, [["", "All"]])),
    input("ask", "", "search", "wide"),
    input("query", "Query (Lucene), as http.response.status_code:[500 TO 599]", "search", "wide"),
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

/** Let the form say what the address says, and show what this page needs of it. */
export function show(now, page) {
  for (const control of form.querySelectorAll("[name]")) {
    // Of a value that is not offered the address is right: it narrows the panels all the same.
    if (control.tagName === "SELECT") offer(control, now[control.name]);
    control.value = now[control.name] ?? "";
  }
  for (const name of ["from", "to"]) form.elements[name].parentElement.hidden = now.range !== "custom";
  const oneType = page.log_types?.length === 1;
  form.elements["log.type"].parentElement.hidden = oneType && !now["log.type"];
  const ask = form.elements.ask;
  ask.parentElement.hidden = !page.ask;
  ask.parentElement.firstChild.textContent = page.ask?.label ?? "";
}

export function options(field, keys) {
  const control = form.elements[field];
  const chosen = control.value;
  control.replaceChildren(element("option", { value: "" }, "All"), ...keys.map((key) => element("option", { value: key }, key)));
  offer(control, chosen);
  control.value = chosen;
}

export function invalid(wrong) {
  form.elements.query.setAttribute("aria-invalid", wrong && form.elements.query.value ? "true" : "false");
}

function offer(control, value) {
  if (value && ![...control.options].some((option) => option.value === value)) control.append(element("option", { value }, value));
}

function select(name, label, offered) {
  return element("label", {}, label, element("select", { name }, offered.map(([value, text]) => element("option", { value }, text))));
}

function input(name, label, type, wide = false) {
  return element("label", { class: wide }, label, element("input", { name, type, autocomplete: "off", spellcheck: "false", step: type === "datetime-local" && "1" }));
}
