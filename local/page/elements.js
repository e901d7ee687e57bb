// Elements of the page. Whatever a log says becomes text, never markup.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (attribute.startsWith("on")) made.addEventListener(attribute.slice(2), value);
    else made.setAttribute(attribute, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null));
  return made;
}

/** A table whose columns are {label, number, moment} and whose rows are lists of texts or elements. */
export function table(caption, columns, rows) {
  const kind = (column) => (column.number ? "number" : column.moment ? "moment" : false);
  const heads = columns.map((one) => element("th", { scope: "col", class: kind(one) }, one.label));
  const lines = rows.map((row) =>
    element("tr", {}, row.map((cell, at) => element("td", { class: kind(columns[at]) }, cell))),
  );
  // What scrolls can be reached, and scrolled, with the keyboard.
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    element("table", {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, heads)),
      element("tbody", {}, lines)));
}

/** Paragraphs with `code`: all that the pages' texts use of Markdown. */
export function markdown(text) {
  return text.split(/\n\n+/).map((paragraph) =>
    element("p", {}, paragraph.split("`").map((part, at) => (at % 2 ? element("code", {}, part) : part))));
}
