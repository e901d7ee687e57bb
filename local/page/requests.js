// What the server is asked. Searches go to the engine as they are; the server refuses all else.

/** What people are told, with the status of the answer if there was one. */
export class Failed extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export async function get(path, signal) {
  return answer(path, { signal });
}

export async function search(index, body, signal) {
  const found = await answer(`search/${index}/_search`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
  });
  const failures = found._shards?.failures;
  if (failures?.length) throw new Failed(failures[0].reason?.reason ?? "a part of the index failed");
  return found;
}

async function answer(path, asked) {
  let response, text;
  try {
    response = await fetch(path, asked);
    text = await response.text();
  } catch (error) {
    if (asked.signal?.aborted) throw error;
    throw new Failed("the page's server does not answer: is the stack up (`make up`)?");
  }
  const content = parsed(text);
  if (response.ok && content) return content;
  throw new Failed(reason(content, response.status), response.status);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function reason(content, status) {
  const error = content?.error;
  if (typeof error === "string") return error;
  const cause = error?.root_cause?.[0] ?? error;
  return cause?.reason ?? `the search engine answered with status ${status}, and does not say why`;
}
