// The end of a session.

import { requestJson } from "./api.js";

export async function signOut() {
  const { next } = await requestJson("POST", "/app/signout");
  location.assign(next);
}
