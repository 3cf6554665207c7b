// What the hub's pages do. Their policy allows no inline scripts: what a page wants stands in its HTML as data.

const page = document.querySelector("[data-hub-page]");
const byId = (id) => document.getElementById(id);

// JupyterHub's own scripts, on its own pages, read these.
const data = JSON.parse(byId("hub-data")?.textContent ?? "null");
if (data) {
  window.jhdata = { ...data, user: data.user ?? undefined };
  window.base_url = data.base_url;
  window.api_page_limit = data.api_page_limit;
}

function loadScripts(names) {
  if (!names || !window.require) return;
  window.require.config({
    urlArgs: data.version ? `v=${data.version}` : "",
    baseUrl: data.scripts,
    paths: {
      components: "../components",
      jquery: "../components/jquery/dist/jquery.min",
      "js-sha256": "../components/js-sha256/build/sha256.min",
      moment: "../components/moment/moment",
    },
  });
  window.require(names.split(" "));
}

function followProgress(address) {
  const events = new EventSource(address);
  events.onmessage = (message) => {
    const step = JSON.parse(message.data);
    if (step.progress !== undefined) byId("progress-bar").value = step.progress;
    if (step.message) {
      byId("progress-message").textContent = step.message;
      const line = document.createElement("li");
      line.textContent = step.message;
      byId("progress-log").append(line);
    }
    if (step.ready || step.failed) events.close();
    if (step.ready) location.reload(); // the hub now answers with the way to the workspace
    if (step.failed) {
      byId("progress-note").hidden = true;
      byId("progress-failed").hidden = false;
      byId("progress-message").className = "alert alert-danger";
      byId("progress-details").open = true;
    }
  };
}

function goOn(link) {
  // The part after '#' never reaches the hub, and is what somebody wanted to see in the workspace.
  if (location.hash) link.href += location.hash;
  const after = link.dataset.goAfterS;
  if (after) setTimeout(() => location.assign(link.href), 1000 * Number(after));
}

function forgetRedirects() {
  const here = new URL(location.href);
  if (!here.searchParams.has("redirects")) return;
  here.searchParams.delete("redirects"); // the hub counts in it, and a reload must start from nought
  history.replaceState({}, "", here);
}

if (page?.dataset.progressUrl) followProgress(page.dataset.progressUrl);
if (page?.dataset.reloadAfterS) setTimeout(() => location.reload(), 1000 * Number(page.dataset.reloadAfterS));
if (page && "errorPage" in page.dataset) forgetRedirects();
if (byId("start")) goOn(byId("start"));
if (data) loadScripts(document.body.dataset.require);
