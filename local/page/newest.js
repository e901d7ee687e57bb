// The newest documents of a page, of all or of one of its saved searches.

import { documents, usualColumns } from "./documents.js";
import { element, fill, note, panel } from "./elements.js";
import { narrowed } from "./narrowing.js";
import { search } from "./requests.js";

const NEWEST = 50;

export function newest(page, timeField, { filters, signal }) {
  const searches = [all(timeField), ...page.searches];
  const about = note("");
  const content = element("div");
  const chosen = () => searches[choice.selectedIndex];
  const choice = element("select", { onchange: () => load(chosen()) }, searches.map(({ title }) => element("option", {}, title)));
  const load = (one) => {
    about.textContent = one.about;
    return fill(content, () => !signal.aborted && one === chosen(), async () => {
      const { hits } = await search(page.index, narrowed(one.body, filters), signal);
      return documents("Newest records", one.columns ?? usualColumns(hits.hits), hits.hits);
    });
  };
  const title = page.searches.length ? "Newest records, and saved searches" : "Newest records";
  const section = panel({ name: "newest", title }, element("label", {}, "Search", choice), about, content);
  return { section, loaded: load(chosen()) };
}

function all(timeField) {
  const sort = [{ [timeField]: { order: "desc", unmapped_type: "date_nanos" } }];
  return { title: "All records", about: "", columns: null, body: { size: NEWEST, query: { bool: { filter: [] } }, sort } };
}
