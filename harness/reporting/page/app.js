"use strict";
// The page's only script. It inserts text as text (textContent), never as markup: everything it shows may be hostile.
(() => {
  const byId = (id) => document.getElementById(id);
  const HIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff]|[\ud800-\udfff]|[\u{e0000}-\u{e007f}]/gu;

  /** An element with children; strings become visible text. */
  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key === "class") element.className = value;
      else element.setAttribute(key, value === true ? "" : String(value));
    }
    for (const child of children.flat()) if (child !== null && child !== undefined && child !== "") element.append(typeof child === "string" ? show(child) : child);
    return element;
  };

  /** Text with hidden characters spelled out and marked. */
  const show = (text) => {
    const shown = document.createDocumentFragment();
    text = text.replace(/\r\n/g, "\n");
    let from = 0;
    for (const match of text.matchAll(HIDDEN)) {
      shown.append(text.slice(from, match.index));
      const code = match[0].codePointAt(0);
      const hex = code.toString(16);
      const odd = document.createElement("span");
      odd.className = "odd";
      odd.title = "hidden character U+" + hex.toUpperCase().padStart(4, "0");
      odd.textContent = code < 256 ? "\\x" + hex.padStart(2, "0") : code < 65536 ? "\\u" + hex.padStart(4, "0") : "\\U" + hex.padStart(8, "0");
      shown.append(odd);
      from = match.index + match[0].length;
    }
    shown.append(text.slice(from));
    return shown;
  };

  // --- Theme -------------------------------------------------------------------------------------------------------
  const themes = ["auto", "light", "dark"];
  const themeButton = byId("theme");
  let theme = "auto";
  try { theme = localStorage.getItem("harness-theme") || "auto"; } catch { /* storage may be forbidden; auto will do */ }
  const setTheme = (name) => {
    theme = themes.includes(name) ? name : "auto";
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    themeButton.textContent = "Theme: " + theme;
  };
  setTheme(theme);
  themeButton.hidden = false;
  themeButton.addEventListener("click", () => {
    setTheme(themes[(themes.indexOf(theme) + 1) % themes.length]);
    try { localStorage.setItem("harness-theme", theme); } catch { /* not kept, then */ }
  });

  // --- Sorting of the tables above ---------------------------------------------------------------------------------
  for (const table of document.querySelectorAll("table.sortable")) {
    if (!table.tBodies[0] || table.tBodies[0].rows.length < 3) continue;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (!head.textContent.trim() || head.classList.contains("picture")) return;
      const button = make("button", { type: "button", title: "Sort by " + head.textContent });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const value = (row) => { const cell = row.cells[column]; return cell ? (cell.dataset.sort ?? cell.textContent.trim()) : ""; };
        const rows = [...table.tBodies[0].rows];
        // Without a value stays last, whichever way: not measured is neither the best nor the worst.
        const none = (text) => text === "" || text === "not measured";
        rows.sort((a, b) => {
          const x = value(a), y = value(b);
          if (none(x) || none(y)) return none(x) - none(y);
          const order = Number.isNaN(Number(x)) || Number.isNaN(Number(y)) ? x.localeCompare(y, undefined, { numeric: true }) : Number(x) - Number(y);
          return up ? order : -order;
        });
        table.tBodies[0].append(...rows);
      });
    });
  }

  // --- Long tables begin short; without a script, and on paper, they are whole -------------------------------------------
  for (const table of document.querySelectorAll("main > section table.sortable")) {
    const rows = table.tBodies[0] ? table.tBodies[0].rows.length : 0;
    if (rows <= 16) continue;
    table.classList.add("short");
    const button = make("button", { type: "button", class: "quiet all-rows" }, "Show all " + rows + " rows");
    button.addEventListener("click", () => { table.classList.remove("short"); button.remove(); });
    table.parentElement.after(button);
  }

  // --- Cases: the index --------------------------------------------------------------------------------------------
  const index = JSON.parse(byId("index").textContent);
  const C = Object.fromEntries(index.caseFields.map((name, place) => [name, place]));
  const T = Object.fromEntries(index.trialFields.map((name, place) => [name, place]));
  const cases = index.cases;
  const texts = cases.map((row) => [row[C.id], index.arms[row[C.arm]], index.suites[row[C.suite]], index.areas[row[C.area]], row[C.reason], ...row[C.tags].map((tag) => index.tags[tag])].join("\n").toLowerCase());
  const byAnchor = new Map(cases.map((row, number) => [row[C.anchor], number]));
  const plural = cases.some((row) => row[C.trials].length > 1);
  const PAGE = 50;

  // --- Cases: the trajectories -------------------------------------------------------------------------------------
  const decoded = new Map();
  const chunkText = async (name) => {
    let element = byId("chunk-" + name);
    if (!element && document.readyState === "loading") {
      await new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));
      element = byId("chunk-" + name);
    }
    if (!element) throw new Error("this part of the page is missing; was the file cut?");
    if (!("DecompressionStream" in window)) throw new Error("this browser cannot decompress it; any browser since 2023 can");
    const packed = Uint8Array.from(atob(element.textContent.trim().slice(1, -1)), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
  };
  const chunk = async (name) => {
    if (!decoded.has(name)) {
      if (decoded.size >= 16) decoded.delete(decoded.keys().next().value);
      decoded.set(name, JSON.parse(await chunkText(name)));
    }
    return decoded.get(name);
  };

  // --- Cases: one trial unfolded -----------------------------------------------------------------------------------
  const mark = (kind) => make("span", { class: "mark status-" + kind[0], title: kind[1], "aria-hidden": "true" }, kind[2]);
  const more = (title, ...children) => make("details", { class: "more" }, make("summary", null, title), ...children);
  const heading = (text) => make("h3", null, text);

  const scores = (found) => {
    const rows = found.map((score) => {
      const word = score.unmeasured ? "not measured" : score.passed === true ? "passed" : score.passed === false ? "failed" : "measured";
      const tone = score.passed === false ? "tone-bad" : score.passed === true ? "tone-good" : score.unmeasured && score.unmeasured !== "nothing expected" ? "tone-warn" : "tone-muted";
      return make("tr", null,
        make("td", null, score.name),
        make("td", { class: tone }, word + (score.unmeasured && score.unmeasured !== "not measured" ? ": " + score.unmeasured : "")),
        make("td", { class: "number" }, score.unmeasured ? "" : score.value),
        make("td", null, score.reason || "", score.evidence ? more("evidence", make("pre", null, score.evidence)) : ""));
    });
    return table(["Score", "Judged", "Value", "Reason"], rows, [2]);
  };

  const table = (columns, rows, numeric) => {
    for (const row of rows) [...row.cells].forEach((cell, place) => { cell.dataset.label = columns[place]; });
    return make("div", { class: "scroll", tabindex: 0 }, make("table", { class: "cards" },
    make("thead", null, make("tr", null, columns.map((name, place) => make("th", { scope: "col", class: numeric.includes(place) ? "number" : null }, name)))),
    make("tbody", null, rows)));
  };

  const toolCall = (call) => make("div", { class: call.error ? "call broken" : "call" },
    make("div", { class: "head" }, call.name, make("span", { class: call.error ? "tone-bad" : "tone-muted" }, call.error ? "✗ failed" : call.result === undefined ? "not answered" : "✓ answered")),
    call.arguments ? make("div", { class: "part" }, make("b", null, call.unreadable ? "arguments (not a JSON object)" : "arguments"), make("pre", null, call.arguments)) : "",
    call.result !== undefined ? make("div", { class: "part" }, make("b", null, "result"), make("pre", null, call.result || "(empty)")) : "",
    call.error && call.error !== call.result ? make("div", { class: "part" }, make("b", null, "error"), make("pre", null, call.error)) : "");

  const message = (said, place, all) => {
    const role = ["user", "assistant", "system", "tool", "notice"].includes(said.role) ? said.role : "notice";
    const tools = (said.tools || []).map(toolCall);
    if (said.tools_left_out) tools.push(make("p", { class: "tone-muted" }, said.tools_left_out + " more tool calls left out"));
    const bubble = said.text ? make("div", { class: "bubble", tabindex: said.text.length > 2000 ? 0 : null }, said.text) : tools.length || said.thinking ? "" : make("div", { class: "bubble tone-muted" }, "(empty)");
    const folded = role === "system" && said.text.length > 160;
    return make("div", { class: "message " + role + (tools.length ? " wide" : "") },
      place && said.role === "assistant" && all[place - 1].role === "assistant" ? "" : make("p", { class: "who" }, said.role + (said.name ? " · " + said.name : "")),
      said.thinking ? more("thinking", make("pre", null, said.thinking)) : "",
      folded ? more(said.text.slice(0, 120).replace(/\s+/g, " ") + "…", bubble) : bubble,
      tools,
      said.extra ? more("other fields", make("pre", null, said.extra)) : "");
  };

  const modelCalls = (calls, leftOut) => {
    const longest = Math.max(0, ...calls.map((call) => call.latency_s || 0));
    const svg = (call) => {
      const space = "http://www.w3.org/2000/svg";
      const picture = document.createElementNS(space, "svg");
      picture.setAttribute("class", "flow");
      picture.setAttribute("aria-hidden", "true");
      const bar = document.createElementNS(space, "rect");
      bar.setAttribute("height", "8");
      bar.setAttribute("rx", "2");
      bar.setAttribute("width", longest > 0 ? Math.max(1, 100 * (call.latency_s || 0) / longest).toFixed(1) + "%" : "0");
      picture.append(bar);
      return picture;
    };
    const rows = calls.map((call, number) => make("tr", null,
      make("td", { class: "number" }, String(number + 1)), make("td", null, call.model), make("td", null, call.latency_s === null ? "" : svg(call)), make("td", { class: "number" }, call.latency), make("td", { class: "number" }, call.ttft),
      make("td", { class: "number" }, call.input), make("td", { class: "number" }, call.cached), make("td", { class: "number" }, call.output), make("td", { class: "number" }, call.cost), make("td", { class: "tone-muted" }, call.notes)));
    const shown = table(["#", "Model", "", "Time", "First token", "Tokens in", "cached", "out", "Cost", ""], rows, [0, 3, 4, 5, 6, 7, 8]);
    return leftOut ? [shown, make("p", { class: "tone-muted" }, leftOut + " more calls left out")] : [shown];
  };

  const trial = (view) => {
    const parts = [make("dl", { class: "facts" }, view.facts.map(([name, value]) => make("div", null, make("dt", null, name), make("dd", null, value))), make("div", null, make("dt", null, "Seed"), make("dd", null, String(view.seed))))];
    if (view.notice) parts.push(make("div", { class: "box warn" }, make("strong", null, view.notice)));
    if (view.error) {
      const kind = ["Errored at the boundary: " + view.error.kind, view.error.reason, view.error.type].filter(Boolean).join(" · ");
      parts.push(make("div", { class: "box warn" }, make("strong", null, kind), make("pre", null, view.error.message), view.error.detail ? more("traceback", make("pre", null, view.error.detail)) : ""));
    }
    if (view.failure) parts.push(make("div", { class: "box bad" }, make("strong", null, "What was wrong"), make("pre", null, view.failure)));
    if (view.scores) parts.push(heading("Scores"), scores(view.scores));
    if (view.messages && view.messages.length) parts.push(heading("Conversation"), make("div", { class: "chat" }, view.messages.map(message)));
    if (view.calls) parts.push(heading("Model calls"), ...modelCalls(view.calls, view.calls_left_out));
    if (view.state !== undefined) parts.push(heading("End state"), more("of the agent's world", make("pre", null, view.state)));
    if (view.metadata !== undefined) parts.push(heading("Metadata"), more("of the trajectory", make("pre", null, view.metadata)));
    if (view.nodeid) parts.push(heading("Run this case again"), make("code", { class: "again" }, view.nodeid));
    return parts;
  };

  const unfold = (details, row) => {
    const body = make("div", { class: "body" });
    details.append(body);
    const trials = row[C.trials];
    if (!trials.length) { body.append(make("p", { class: "tone-muted" }, "No trial of this case was recorded.")); return; }
    const panel = make("div", null);
    const buttons = trials.map((item) => {
      const outcome = index.outcomes[item[T.outcome]];
      const button = make("button", { type: "button", "aria-pressed": "false" }, mark(outcome), " trial " + item[T.index] + " " + outcome[1]);
      button.addEventListener("click", () => select(item, button));
      return button;
    });
    const select = async (item, button) => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      panel.replaceChildren(make("p", { class: "tone-muted" }, "Reading…"));
      let shown;
      if (item[T.chunk] === null) shown = [make("p", { class: "tone-muted" }, "This trajectory was left out to keep the page small; the run's journal has it.")];
      else {
        try { shown = trial((await chunk(item[T.chunk]))[item[T.position]]); } catch (problem) { shown = [make("div", { class: "box bad" }, make("strong", null, "This trial cannot be shown"), problem.message)]; }
      }
      if (button.getAttribute("aria-pressed") === "true") panel.replaceChildren(...shown);
    };
    if (trials.length > 1) body.append(make("div", { class: "tabs", role: "group", "aria-label": "Trials" }, buttons));
    body.append(panel);
    // The worst trial first: outcomes are numbered worst first.
    let worst = 0;
    trials.forEach((item, place) => { if (item[T.outcome] < trials[worst][T.outcome]) worst = place; });
    select(trials[worst], buttons[worst]);
  };

  const caseElement = (row) => {
    const status = index.statuses[row[C.status]];
    const arm = index.arms[row[C.arm]];
    const trials = row[C.trials];
    const suite = index.suites[row[C.suite]];
    const dots = trials.length > 1 && trials.length <= 12 ? trials.map((item) => mark(index.outcomes[item[T.outcome]])) : [];
    const passed = trials.filter((item) => index.outcomes[item[T.outcome]][0] === "passed").length;
    if (trials.length > 12) dots.push(make("span", { class: "size" }, passed + " of " + trials.length));
    const details = make("details", { class: "case", id: row[C.anchor] }, make("summary", null,
      make("span", { class: "mark status-" + status[0], title: status[1], role: "img", "aria-label": status[1] }, status[2]),
      make("span", null,
        make("span", { class: "id" }, row[C.id] + (arm ? " [" + arm + "]" : "")),
        make("span", { class: "in path" }, suite.slice(suite.lastIndexOf("::") + 1).replace(/^:/, "") + " ", row[C.mustPass] ? make("span", { class: "tag must" }, "must pass") : "", row[C.tags].map((tag) => make("span", { class: "tag" }, index.tags[tag])))),
      make("span", { class: "reason" }, row[C.reason]),
      plural ? make("span", { class: "dots" }, dots) : "",
      make("span", { class: "size" }, [row[C.latencyText], row[C.costText]].filter(Boolean).join(" · "))));
    details.addEventListener("toggle", () => { if (details.open && !details.dataset.filled) { details.dataset.filled = "1"; unfold(details, row); } });
    return details;
  };

  // --- Cases: search and filter ------------------------------------------------------------------------------------
  const list = byId("list"), moreButton = byId("more"), count = byId("count");
  const query = byId("query"), deep = byId("deep"), order = byId("order");
  const picks = { suite: byId("suite"), area: byId("area"), tag: byId("tag") };
  const names = { suite: index.suites, area: index.areas, tag: index.tags };
  const chosen = new Set();
  let found = [], shownCount = 0, asked = 0;

  for (const [kind, select] of Object.entries(picks)) {
    select.append(make("option", { value: "" }, "all"));
    names[kind].forEach((name, number) => { if (name) select.append(make("option", { value: number }, name.length > 60 ? "…" + name.slice(-59) : name)); });
    if (select.options.length < 2) select.closest("label").hidden = true;
    select.addEventListener("change", () => refresh());
  }
  const totals = index.statuses.map((_, status) => cases.filter((row) => row[C.status] === status).length);
  const statusButtons = index.statuses.map((status, number) => {
    const button = make("button", { type: "button", "aria-pressed": "false" }, mark(status), " " + status[1] + " " + totals[number].toLocaleString("en"));
    button.dataset.status = status[0];
    button.hidden = totals[number] === 0;
    button.addEventListener("click", () => { choose(number, !chosen.has(number)); refresh(); });
    byId("statuses").append(button);
    return button;
  });
  const choose = (number, on) => {
    if (on) chosen.add(number); else chosen.delete(number);
    statusButtons[number].setAttribute("aria-pressed", String(on));
  };

  const strings = (value) => typeof value === "string" ? [value] : value && typeof value === "object" ? Object.values(value).flatMap(strings) : [];

  /** Numbers of the cases with a trial that says it, from every chunk, one chunk in memory at a time. */
  const transcripts = async (needle, turn) => {
    const places = new Map();
    cases.forEach((row, number) => { for (const item of row[C.trials]) if (item[T.chunk] !== null) { if (!places.has(item[T.chunk])) places.set(item[T.chunk], []); places.get(item[T.chunk]).push([number, item[T.position]]); } });
    const hits = new Set();
    let read = 0;
    for (const [name, items] of places) {
      const views = JSON.parse(await chunkText(name));
      if (turn !== asked) return null;
      for (const [number, position] of items) if (!hits.has(number) && strings(views[position]).some((text) => text.toLowerCase().includes(needle))) hits.add(number);
      read += 1;
      if (read % 10 === 0) count.textContent = "Searching transcripts: " + Math.round(100 * read / places.size) + "%";
    }
    return hits;
  };

  const refresh = async (keep) => {
    const turn = ++asked;
    const needle = query.value.trim().toLowerCase();
    const words = needle.split(/\s+/).filter(Boolean);
    let hits = null;
    if (deep.checked && needle.length > 1) {
      count.textContent = "Searching transcripts…";
      try { hits = await transcripts(needle, turn); } catch (problem) { count.textContent = "Transcripts cannot be searched: " + problem.message; return; }
      if (hits === null || turn !== asked) return;
    }
    const suite = picks.suite.value, area = picks.area.value, tag = picks.tag.value;
    found = [];
    cases.forEach((row, number) => {
      if (chosen.size && !chosen.has(row[C.status])) return;
      if (suite !== "" && row[C.suite] !== Number(suite)) return;
      if (area !== "" && row[C.area] !== Number(area)) return;
      if (tag !== "" && !row[C.tags].includes(Number(tag))) return;
      if (words.length && !words.every((word) => texts[number].includes(word)) && !(hits && hits.has(number))) return;
      found.push(number);
    });
    const down = (field) => found.sort((a, b) => (cases[b][C[field]] ?? -1) - (cases[a][C[field]] ?? -1));
    if (order.value === "slow") down("latency");
    else if (order.value === "dear") down("cost");
    else if (order.value === "name") found.sort((a, b) => cases[a][C.id].localeCompare(cases[b][C.id], undefined, { numeric: true }));
    count.textContent = found.length === cases.length ? cases.length.toLocaleString("en") + " cases" : found.length.toLocaleString("en") + " of " + cases.length.toLocaleString("en") + " cases";
    list.replaceChildren();
    shownCount = 0;
    showMore();
    if (!found.length) list.append(make("p", { class: "tone-muted" }, cases.length ? "No case matches. Clear the filters to see all." : "This run has no cases."));
    if (!keep) remember();
  };
  const showMore = () => {
    const next = found.slice(shownCount, shownCount + PAGE);
    // A case that a link has unfolded above is there already.
    list.append(...next.filter((number) => !byId(cases[number][C.anchor])).map((number) => caseElement(cases[number])));
    shownCount += next.length;
    const left = found.length - shownCount;
    moreButton.hidden = left <= 0;
    moreButton.textContent = "Show " + Math.min(PAGE, left) + " more (" + left.toLocaleString("en") + " left)";
  };
  moreButton.addEventListener("click", showMore);

  let waiting = 0;
  query.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(refresh, deep.checked ? 350 : 80); });
  deep.addEventListener("change", () => refresh());
  order.addEventListener("change", () => refresh());
  const form = document.querySelector(".filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => { statusButtons.forEach((_, number) => choose(number, false)); setTimeout(refresh); });
  document.addEventListener("keydown", (event) => {
    const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); query.focus(); }
  });

  // --- The address: #case-... unfolds a case, #cases?status=failed&q=... filters ---------------------------------------
  const remember = () => {
    const said = new URLSearchParams();
    if (query.value.trim()) said.set("q", query.value.trim());
    if (chosen.size) said.set("status", [...chosen].map((number) => index.statuses[number][0]).join(","));
    for (const [kind, select] of Object.entries(picks)) if (select.value !== "") said.set(kind, names[kind][Number(select.value)]);
    const text = said.toString();
    if (text || location.hash.startsWith("#cases?")) try { history.replaceState(null, "", text ? "#cases?" + text : "#cases"); } catch { /* some viewers forbid it */ }
  };
  const follow = () => {
    const hash = location.hash;
    if (hash.startsWith("#case-")) {
      const number = byAnchor.get(hash.slice(1));
      if (number === undefined) return;
      let details = byId(hash.slice(1));
      if (!details) {
        if (!found.includes(number)) { form.reset(); }
        details = caseElement(cases[number]);
        setTimeout(() => { byId(hash.slice(1))?.remove(); list.prepend(details); details.open = true; details.scrollIntoView(); }, 20);
        return;
      }
      details.open = true;
      details.scrollIntoView();
    } else if (hash.startsWith("#cases?")) {
      const said = new URLSearchParams(hash.slice(7));
      query.value = said.get("q") || "";
      const wanted = (said.get("status") || "").split(",");
      index.statuses.forEach((status, number) => choose(number, wanted.includes(status[0])));
      for (const [kind, select] of Object.entries(picks)) { const place = names[kind].indexOf(said.get(kind)); select.value = place < 0 ? "" : String(place); }
      refresh(true);
      byId("cases").scrollIntoView();
    }
  };
  window.addEventListener("hashchange", follow);
  if (plural) list.classList.add("plural");
  byId("browser").hidden = false;
  refresh(true).then(follow);
})();
