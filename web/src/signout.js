// The page that asks before signing out.

import "./frame.js";
import { attempt, byId } from "./dom.js";
import { signOut } from "./session.js";

byId("sign-out-now").addEventListener("click", () => attempt(signOut));
