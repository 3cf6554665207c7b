// In JupyterLab and Notebook: the platform's warnings, where people sit for hours. Written by hand, not bundled: of
// JupyterLab it needs nothing but the commands of its notifications.
(() => {
  "use strict";
  const NAME = "twinhub-notices";
  const PERIOD_MS = 20_000;
  const RECENT_MS = 15 * 60_000;
  const WORKBENCH = "twinhub:open-workbench";

  const clock = (time) => new Date(time).toLocaleTimeString(undefined, { timeStyle: "short" });
  const sizeOf = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;

  // What there is to tell: [key, type, message]. One key is told once, whatever becomes of its words.
  function noticesOf({ warned, stops_at: stops, stop_reason: reason, usage, last_oom_at: oom }, now) {
    const found = [];
    if (warned && stops && reason === "idle") {
      found.push([`stop idle`, "warning", `Nobody seems to use this workspace: it stops at ${clock(stops)}. Work on, or keep it running on the Workbench.`]);
    } else if (warned && stops) {
      found.push([`stop ${reason}`, "warning", `This workspace has run as long as it may: it stops at ${clock(stops)}. Save your work.`]);
    }
    if (usage && usage.disk_limit_bytes) {
      const over = usage.disk_bytes > usage.disk_limit_bytes;
      found.push([`disk ${over}`, over ? "error" : "warning", `This workspace takes ${sizeOf(usage.disk_bytes)} on disk, of ${sizeOf(usage.disk_limit_bytes)}. Delete what you do not need: beyond the limit it is stopped.`]);
    }
    if (oom && now - Date.parse(oom) < RECENT_MS) {
      found.push([`memory ${oom}`, "error", `A program was ended at ${clock(oom)}, because this workspace ran out of memory.`]);
    }
    return found;
  }

  function activate(app) {
    const address = `${app.serviceManager.serverSettings.baseUrl}twinhub/notices`;
    const told = new Map();
    let workbench = "/app/workbench";

    app.commands.addCommand(WORKBENCH, { label: "Open the Workbench", execute: () => { window.open(workbench, "_blank", "noopener"); } });

    async function tell(notices) {
      const keys = new Set(notices.map(([key]) => key));
      for (const [key, id] of told) {
        if (keys.has(key)) continue;
        told.delete(key);
        await app.commands.execute("apputils:dismiss-notification", { id });
      }
      for (const [key, type, message] of notices) {
        if (told.has(key)) continue;
        const actions = [{ label: "Workbench", caption: "Opens in another tab", commandId: WORKBENCH, args: {} }];
        told.set(key, await app.commands.execute("apputils:notify", { message, type, options: { autoClose: false, actions } }));
      }
    }

    // Who works in another tab sees it there.
    function mark(stops) {
      const minutes = stops && Math.max(0, Math.round((Date.parse(stops) - Date.now()) / 60_000));
      const plain = document.title.replace(/^\(stops in \d+ min\) /, "");
      const title = stops ? `(stops in ${minutes} min) ${plain}` : plain;
      if (document.title !== title) document.title = title;
    }

    async function look() {
      try {
        // The server believes a cookie only together with its token: another workspace's page can send the one, not read the other.
        const token = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/);
        const headers = token ? { "X-XSRFToken": decodeURIComponent(token[1]) } : {};
        const answer = await fetch(address, { headers, credentials: "same-origin", redirect: "error" });
        if (answer.ok) {
          const content = await answer.json();
          workbench = content.workbench || workbench;
          mark(content.warned ? content.stops_at : null);
          await tell(noticesOf(content, Date.now()));
        }
      } catch {
        // The server is away for a moment; Lab itself says so.
      }
      setTimeout(look, PERIOD_MS);
    }

    app.restored.then(look);
  }

  const plugin = { id: `${NAME}:plugin`, description: "Tells what the platform warns of.", autoStart: true, activate };
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = { init: () => {}, get: async () => () => ({ __esModule: true, default: plugin }) };
})();
