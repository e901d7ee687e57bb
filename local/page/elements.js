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

/** A panel's place on the page, with its content in it. */
export function panel({ name, title, about = "", width = 12, kind }, ...content) {
  const id = `panel-${name}`;
  return element("section", { class: `panel w${width}`, "aria-labelledby": id, "data-panel": name, "data-kind": kind },
    element("h2", { id }, title),
    about ? note(about) : null,
    element("div", { class: "content" }, content));
}

/** Put into a panel what is asked for, or say why there is none; nothing once it is not wanted any more. */
export async function fill(content, wanted, ask) {
  content.setAttribute("aria-busy", "true");
  let made;
  try {
    made = await ask();
  } catch (error) {
    made = [element("p", { class: "wrong" }, `Not drawn: ${error.message}`)];
  }
  if (!wanted()) return;
  content.replaceChildren(...made);
  content.setAttribute("aria-busy", "false");
}

export function note(text) {
  return element("p", { class: "about" }, text);
}

export function nothing() {
  return note("Nothing found.");
}

/** So much of a text is not broken where it stands: addresses, moments, accounts. */
const SHORT = 28;

/** A table whose columns are {label, number, moment} and whose rows are lists of texts or elements. */
export function table(caption, columns, rows) {
  const heads = columns.map((one) => element("th", { scope: "col", class: one.number && "number" }, one.label));
  const kind = (cell, column) => (column.number ? "number" : (column.moment || cell.length <= SHORT) && "short");
  const lines = rows.map((row) =>
    element("tr", {}, row.map((cell, at) => element("td", { class: kind(cell, columns[at]) }, cell))),
  );
  // What scrolls can be reached, and scrolled, with the keyboard.
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    element("table", {},
      element("caption", { class: "unseen" }, caption),
      element("thead", {}, element("tr", {}, heads)),
      element("tbody", {}, lines)));
}

/** Paragraphs with `code`: all that the pages' texts use of Markdown. */
export function markdown(text) {
  return text.split(/\n\n+/).map((paragraph) =>
    element("p", {}, paragraph.split("`").map((part, at) => (at % 2 ? element("code", {}, part) : part))));
}
