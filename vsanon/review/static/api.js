// Requests to the page's own server, and their errors.

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function answer(response) {
  if (response.ok) return response;
  let why = `the server answered ${response.status}`;
  try {
    why = (await response.json()).error ?? why;
  } catch {
    // No JSON: the status has to do.
  }
  throw new Refused(response.status, why);
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, {credentials: "same-origin", ...options});
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "the server does not answer: is `vsanon review` still running?");
  }
  return answer(response);
}

export const get = async (path, options) => (await ask(path, options)).json();

export async function picture(path, signal) {
  const response = await ask(path, {signal});
  return {version: response.headers.get("x-vsanon-version"), bitmap: await createImageBitmap(await response.blob())};
}

export const post = async (path, body, options) => (await ask(path, {
  method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body), ...options,
})).json();
