// What every page has: the theme switch and the menu.

const THEMES = ["auto", "light", "dark"];

function systemTheme() {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function apply(theme) {
  document.documentElement.dataset.bsTheme = theme === "auto" ? systemTheme() : theme;
  const button = document.getElementById("theme");
  if (button) {
    button.setAttribute("aria-label", `Colours: ${theme}. Change`);
    button.title = `Colours: ${theme}`;
  }
}

function current() {
  const stored = localStorage.getItem("twinhub-theme");
  return THEMES.includes(stored) ? stored : "auto";
}

apply(current());
document.addEventListener("DOMContentLoaded", () => {
  apply(current());
  document.getElementById("theme")?.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length];
    localStorage.setItem("twinhub-theme", next);
    apply(next);
  });
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(current()));
