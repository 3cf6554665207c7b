// What every page has: the theme switch and the menu.

import "./banner.js";
import { attempt } from "./dom.js";
import { signOut } from "./session.js";
import { switchTheme } from "./theme.js";

document.getElementById("theme").addEventListener("click", switchTheme);

// A menu that stays open over the page is in the way.
const menu = document.querySelector(".tw-account");
document.addEventListener("click", (event) => {
  if (!menu.contains(event.target)) menu.open = false;
});
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.getElementById("sign-out").addEventListener("click", () => attempt(signOut));
