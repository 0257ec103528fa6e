// The console's only script: live parts. Every page works without it.
//
// All tabs of a browser share one stream, in a shared worker that is this same file. A hidden tab is not in the stream,
// and without a visible tab there is no stream. Above the server's number of streams a tab polls.
"use strict";

const POLL_MS = 5000;

// The stream of all pages that visible tabs show. `onPart` and `onState` get what comes.
function connection(root, onPart, onState) {
  let source = null;
  let asked = "";
  return (pages) => {
    const wanted = [...new Set(pages)].sort().slice(0, 8);
    const query = wanted.map((page) => "page=" + encodeURIComponent(page)).join("&");
    if (query === asked) return;
    asked = query;
    if (source) source.close();
    source = null;
    if (!query) return;
    source = new EventSource(root + "live?" + query);
    const own = source;
    own.addEventListener("open", () => onState("open"));
    own.addEventListener("part", (event) => onPart(JSON.parse(event.data)));
    own.addEventListener("error", () => {
      // A refused stream is closed; a lost one connects again by itself.
      onState(own.readyState === EventSource.CLOSED ? "refused" : "lost");
      if (own.readyState === EventSource.CLOSED && source === own) { source = null; asked = ""; }
    });
  };
}

function inWorker() {
  const tabs = new Map();
  let connect = null;
  const all = (message) => tabs.forEach((_, port) => port.postMessage(message));
  self.addEventListener("connect", (event) => {
    const port = event.ports[0];
    port.onmessage = ({ data }) => {
      if (data.gone) tabs.delete(port); else tabs.set(port, data.visible ? data.page : null);
      connect ??= connection(data.root, (part) => all({ part }), (state) => all({ state }));
      connect([...tabs.values()].filter((page) => page !== null));
    };
    port.start();
  });
}

function inPage() {
  const live = document.getElementById("live");
  if (!live) return;
  const stale = document.getElementById("stale");
  const meta = (name) => document.querySelector(`meta[name=${name}]`)?.content ?? "";
  const root = new URL(meta("root"), location.href).href;
  const page = live.dataset.live;
  let polling = null;

  function show(html) {
    const active = document.activeElement;
    // Nothing is replaced under somebody's hands.
    if (live.contains(active) && active.matches("input, select, textarea")) return;
    if (live.querySelector("details.action[open]")) return;
    const place = live.contains(active) ? [...live.querySelectorAll("a, button, summary, [tabindex]")].indexOf(active) : -1;
    const open = [...live.querySelectorAll("details[open]")].map((details) => details.id).filter(Boolean);
    live.innerHTML = html;
    for (const field of live.querySelectorAll("input[name=csrf]")) field.value = meta("csrf");
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (place >= 0) [...live.querySelectorAll("a, button, summary, [tabindex]")][place]?.focus({ preventScroll: true });
    live.dataset.updates = String(Number(live.dataset.updates ?? 0) + 1);
  }
  async function poll() {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { "Console-Part": "poll" }, cache: "no-store", redirect: "error" });
      show(await answer.text());
      stale.hidden = true;
    } catch { stale.hidden = false; }
  }
  function state(word) {
    stale.hidden = word === "open" || word === "refused";
    if (word === "refused") polling ??= setInterval(poll, POLL_MS);
    if (word === "open" && polling) { clearInterval(polling); polling = null; }
  }
  const take = (message) => {
    if (message.state) state(message.state);
    if (message.part && message.part.page === page) { stale.hidden = true; show(message.part.html); }
  };

  let tell;
  if (typeof SharedWorker === "function") {
    const worker = new SharedWorker(document.querySelector("script[src]").src, { name: "ringmaster " + root });
    worker.port.onmessage = ({ data }) => take(data);
    worker.port.start();
    tell = (message) => worker.port.postMessage(message);
    addEventListener("pagehide", () => tell({ gone: true, root }));
  } else {
    const connect = connection(root, (part) => take({ part }), (word) => take({ state: word }));
    tell = (message) => connect(message.visible ? [message.page] : []);
  }
  const report = () => tell({ page, root, visible: !document.hidden });
  document.addEventListener("visibilitychange", () => { report(); if (polling) poll(); });
  addEventListener("pageshow", report);
  report();
}

// Sends the file of an import in parts and shows how much has arrived. After a fault, sending again goes on from there.
const PART_BYTES = 4 * 1024 * 1024;

function importing() {
  const form = document.getElementById("import");
  if (!form) return;
  const [bar, told] = ["import-progress", "import-told"].map((id) => document.getElementById(id));
  const root = new URL(form.dataset.root, location.href);
  const csrf = form.elements.csrf.value;
  async function answer(request) {
    const response = await request;
    const body = await response.json().catch(() => ({ detail: "The connection ended." }));
    if (!response.ok) throw new Error(body.detail || body.title);
    return body;
  }
  const post = (path, fields) => answer(fetch(new URL(path, root), { method: "POST", body: new URLSearchParams({ csrf, ...fields }) }));
  const put = (id, offset, body) => answer(fetch(new URL(`imports/${id}/part?offset=${offset}`, root), { method: "PUT", body, headers: { "X-CSRF-Token": csrf } }));
  form.addEventListener("submit", async (event) => {
    // The check is answered with a page.
    if (event.submitter?.name === "check") return;
    event.preventDefault();
    const file = form.elements.file.files[0];
    const button = form.querySelector("button");
    button.disabled = true;
    bar.hidden = false;
    try {
      const fields = Object.fromEntries(["name", "default_country", "mapping"].map((name) => [name, form.elements[name].value]));
      let { id, received } = await post(`campaigns/${form.dataset.campaign}/import/begin`, { ...fields, size: file.size });
      while (received < file.size) {
        const next = await put(id, received, file.slice(received, received + PART_BYTES));
        if (next.received <= received) throw new Error("The list does not go on.");
        received = next.received;
        bar.value = Math.floor((received * 100) / file.size);
        told.textContent = `${bar.value} %: ${next.rows} rows, ${next.accepted} accepted`;
      }
      await post(`imports/${id}/complete`, {});
      location.assign(new URL(`imports/${id}`, root));
    } catch (error) {
      told.textContent = `${error.message} Nothing is lost: send it again, and it goes on from there.`;
      button.disabled = false;
    }
  });
}

if (typeof window === "undefined") inWorker();
else { inPage(); importing(); }
