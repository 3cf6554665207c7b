// Light or dark: the hub's own pages read and write the same key, so one choice holds everywhere.

const KEY = "jupyterhub-bs-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export function currentTheme() {
  const stored = localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : system.matches ? "dark" : "light";
}

export function applyTheme() {
  document.documentElement.dataset.bsTheme = currentTheme();
}

export function switchTheme() {
  localStorage.setItem(KEY, currentTheme() === "dark" ? "light" : "dark");
  applyTheme();
}

system.addEventListener("change", applyTheme);
applyTheme();
