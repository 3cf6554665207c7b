// Requests to our own services: the XSRF header on every write, errors in the platform's shape.

export class ApiError extends Error {
  constructor(status, { code = "unknown", what = "Something went wrong.", fix = "" } = {}) {
    super(`${what} ${fix}`.trim());
    this.status = status;
    this.code = code;
  }
}

export function xsrfToken() {
  return document.querySelector('meta[name="xsrf-token"]').content;
}

export function writeHeaders(extra = {}) {
  return { "X-XSRFToken": xsrfToken(), ...extra };
}

export function errorFrom(status, text) {
  try {
    return new ApiError(status, JSON.parse(text).error);
  } catch {
    return new ApiError(status, { what: `The server answered ${status}.`, fix: "Try again in a moment." });
  }
}

export async function request(method, address, { json, body, headers = {}, signal } = {}) {
  const isWrite = method !== "GET";
  const options = { method, signal, headers: isWrite ? writeHeaders(headers) : headers, redirect: "error" };
  if (json !== undefined) {
    options.body = JSON.stringify(json);
    options.headers = { ...options.headers, "Content-Type": "application/json" };
  } else if (body !== undefined) {
    options.body = body;
  }
  let answer;
  try {
    answer = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { code: "offline", what: "The server cannot be reached.", fix: "Check the network and try again." });
  }
  if (answer.status === 401) {
    location.assign(`/app/signin?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  if (!answer.ok) throw errorFrom(answer.status, await answer.text());
  return answer;
}

export async function requestJson(method, address, options) {
  return (await request(method, address, options)).json();
}
