// The page on rejected records: why each was, and how it came.

import { opener } from "./documents.js";
import { element, nothing, panel, table } from "./elements.js";
import { get } from "./requests.js";
import { bounds } from "./time.js";
import { number, shortened, text, visible } from "./values.js";

/** Where a reject has what the form narrows by. */
const MEMBERS = { "cloud.account_id": "account_id", "cloud.region": "region", "log.type": "log_type" };

export const rejected = {
  name: "rejected", title: "Rejected records", uses: ["range", ...Object.keys(MEMBERS), "text"], draw,
  about: "What could not be indexed, or converted for the lake, why, and the record as it came. Each engine rejects for itself, so a record may be here twice. The time is that of its delivery. The backup bucket has all of them.",
};

async function draw(said, signal) {
  const { total, records } = await get("rejects.json", signal);
  const shown = records.filter(chosen(said));
  const newest = total > records.length ? `the newest ${number(records.length)} of ` : "";
  return {
    status: `${number(shown.length)} of ${newest}${number(total)} rejected records, the newest first.`,
    sections: [panel({ name: "rejected", title: "Rejected records" }, shown.length ? listed(shown) : nothing())],
    offered: Object.fromEntries(Object.entries(MEMBERS).map(([field, member]) => [field, records.map((one) => one[member])])),
  };
}

function chosen(said) {
  const { from, to } = bounds(said);
  const fields = Object.entries(MEMBERS).filter(([field]) => said[field]);
  const words = said.text?.toLowerCase();
  return (reject) => {
    const delivered = Date.parse(reject.delivered);
    // What says no moment is of any time: better seen too often than never.
    return !(delivered < from || delivered >= to)
      && fields.every(([field, member]) => reject[member] === said[field])
      && (!words || Object.values(reject).some((value) => text(value).toLowerCase().includes(words)));
  };
}

function listed(rejects) {
  const columns = [{ label: "Record" }, { label: "Delivered", moment: true }, { label: "Log type" }, { label: "Engine" },
    { label: "Reason" }, { label: "Number", number: true }, { label: "Source" }];
  return table("Rejected records", columns, rejects.map((one) => [
    opener(`record ${one.record_number} of ${one.source}`, "Rejected record", () => whole(one)),
    text(one.delivered), text(one.log_type), one.engine, shortened(text(one.reason)), number(one.record_number), text(one.source)]));
}

function whole(reject) {
  const { raw, raw_base64: _, ...rest } = reject;
  return [
    table("What is known of it", [{ label: "Name" }, { label: "Value" }], Object.entries(rest).map(([name, value]) => [name, text(value)])),
    element("h3", {}, "The record as it came"), element("pre", {}, visible(raw)),
  ];
}
