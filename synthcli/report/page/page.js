"use strict";
// Draws the charts of the page when they come into view, and makes its columns searchable. Everything that comes from data is set as text.
(() => {
  const root = document.documentElement;
  const page = JSON.parse(document.getElementById("page-data").textContent);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // --- charts
  const rows = (data) => {
    const columns = typeof data === "string" ? page.datasets[data] : data;
    const fields = Object.keys(columns);
    return columns[fields[0]].map((_, i) => Object.fromEntries(fields.map((f) => [f, columns[f][i]])));
  };
  const tip = document.getElementById("tip");
  const hover = (_, event, __, value) => {
    tip.replaceChildren();
    tip.hidden = !value || event.vegaType === undefined && !event.clientX;
    if (tip.hidden) return;
    for (const [key, text] of Object.entries(value)) {
      const line = document.createElement("div");
      const name = document.createElement("span");
      name.textContent = key;
      line.append(name, String(text));
      tip.append(line);
    }
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8))}px`;
    tip.style.top = `${event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 10 : event.clientY + 18}px`;
  };
  let drawn = 0;
  const waiting = new Set(all("[data-chart]"));
  // what stands in a folded part is drawn when that is opened
  const seen = (place) => place.offsetParent && !place.closest("details:not([open])");
  const draw = (place) => {
    if (!waiting.has(place) || !seen(place)) return;
    waiting.delete(place);
    watcher.unobserve(place);
    const chart = page.charts[place.dataset.chart];
    const spec = { ...chart.spec, config: page.config, data: { values: rows(chart.data) } };
    place.setAttribute("aria-label", chart.label);
    const view = { mode: "vega-lite", renderer: "svg", actions: false, hover: false, tooltip: hover, ast: true, defaultStyle: false };
    vegaEmbed(place, spec, view).then((made) => {
      place.dataset.drawn = "yes";
      made.view.addEventListener("click", (_, item) => item && item.datum && pick(place, item.datum));
      root.dataset.charts = String(++drawn);
    });
  };
  const watcher = new IntersectionObserver((found) => found.forEach((s) => s.isIntersecting && draw(s.target)), { rootMargin: "500px" });
  // what is out of sight is drawn a few at a time, so that printing and searching find it there
  const rest = () => {
    const open = [...waiting].filter(seen);
    open.slice(0, 3).forEach(draw);
    if (open.length > 3) setTimeout(rest, 15);
  };
  root.dataset.charts = "0";
  waiting.forEach((place) => watcher.observe(place));
  setTimeout(rest, 200);

  // --- tables of the charts' figures, made when they are opened
  const table = (place) => {
    const chart = page.charts[place.dataset.figures];
    const made = document.createElement("table");
    made.createCaption().textContent = chart.label;
    const head = made.createTHead().insertRow();
    for (const [, title] of chart.table) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = title;
      head.append(cell);
    }
    const body = made.createTBody();
    for (const row of rows(chart.data).slice(0, 2000)) {
      const line = body.insertRow();
      for (const [field] of chart.table) {
        const value = row[field];
        line.insertCell().textContent = value === null || value === undefined ? "" : typeof value === "number" ? +value.toPrecision(4) : value;
      }
    }
    place.querySelector(".scroll").replaceChildren(made);
  };
  all("details[data-figures]").forEach((place) => place.addEventListener("toggle", () => place.open && table(place)));

  // --- the joint picture of a pair: chosen from the list, or by a click on a cell of the maps
  const show = (place, name) => {
    const figures = place.parentElement.querySelector("details[data-figures]");
    place.dataset.chart = figures.dataset.figures = name;
    waiting.add(place);
    draw(place);
    if (figures.open) table(figures);
  };
  all("form[data-joint]").forEach((form) => form.addEventListener("change", () => {
    for (const place of all(".chart", form.parentElement)) show(place, `${form.elements.pair.value}-${place.dataset.chart.split("-").pop()}`);
  }));
  const pick = (place, cell) => {
    const maps = place.closest("[data-picks]");
    if (!maps || cell.a === undefined) return;
    const panel = document.getElementById(maps.dataset.picks), form = panel.querySelector("form");
    const said = form.querySelector("[role=status]"), options = [...form.elements.pair.options];
    const both = (o) => (o.dataset.a === cell.a && o.dataset.b === cell.b) || (o.dataset.a === cell.b && o.dataset.b === cell.a);
    const found = options.find(both);
    said.textContent = found ? "" : `${cell.a} × ${cell.b}: this page holds the pictures of ${options.length} pairs, those that differ most and those with the strongest relation.`;
    if (found) {
      form.elements.pair.value = found.value;
      form.dispatchEvent(new Event("change"));
    }
    panel.scrollIntoView({ block: "nearest" });
  };

  all("button[data-pair]").forEach((button) => button.addEventListener("click", () => {
    const panel = document.getElementById(button.dataset.panel), form = panel.querySelector("form");
    form.elements.pair.value = button.dataset.pair;
    form.dispatchEvent(new Event("change"));
    panel.scrollIntoView({ block: "nearest" });
  }));

  // --- choosing what a plot shows
  all("[data-plot]").forEach((form) => {
    const place = document.getElementById(form.dataset.plot);
    form.addEventListener("change", () => {
      const name = `trade-${form.elements.x.value}-${form.elements.y.value}`;
      if (page.charts[name]) show(place, name);
    });
  });

  // --- folded parts, and links that lead into them
  all("details.fold").forEach((part) => part.addEventListener("toggle", () => part.open && rest()));
  const unfold = () => {
    const place = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let part = place && place.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  };
  addEventListener("hashchange", unfold);
  unfold();

  // --- columns: search, kind, order
  const score = (card, none) => card.dataset.score === "" ? none : +card.dataset.score;
  const orders = {
    worst: (a, b) => score(a, 2) - score(b, 2) || a.dataset.place - b.dataset.place,
    best: (a, b) => score(b, -1) - score(a, -1) || a.dataset.place - b.dataset.place,
    data: (a, b) => a.dataset.place - b.dataset.place,
    name: (a, b) => a.dataset.name.localeCompare(b.dataset.name),
  };
  all("form.finder").forEach((finder) => {
    const grid = document.getElementById(finder.dataset.cards), cards = all(".card", grid), status = finder.querySelector(".found");
    const find = () => {
      const words = finder.elements.words.value.trim().toLowerCase(), kind = finder.elements.kind.value;
      let count = 0;
      for (const card of cards) {
        card.hidden = !card.dataset.name.toLowerCase().includes(words) || (kind !== "" && card.dataset.kind !== kind);
        count += !card.hidden;
      }
      grid.append(...cards.sort(orders[finder.elements.order.value]));
      status.textContent = `${count === cards.length ? "" : `${count} of `}${cards.length} ${cards.length === 1 ? "column" : "columns"}`;
      rest();
    };
    finder.addEventListener("input", find);
    finder.addEventListener("submit", (event) => event.preventDefault());
  });

  // --- theme, copying, print
  const theme = document.getElementById("theme");
  const themes = ["system", "light", "dark"];
  const say = () => { theme.textContent = `Theme: ${root.dataset.theme || "system"}`; };
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme || "system") + 1) % 3];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    try { localStorage.setItem("synth-theme", next); } catch { /* kept for this page only */ }
    say();
  });
  say();
  all("[data-copy]").forEach((button) => button.addEventListener("click", () => {
    const text = document.getElementById(button.dataset.copy);
    const done = () => { button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy"; }, 1500); };
    const select = () => getSelection().selectAllChildren(text);
    if (navigator.clipboard) navigator.clipboard.writeText(text.textContent).then(done, select);
    else select();
  }));
  addEventListener("beforeprint", () => {
    all("details.print").forEach((d) => { d.open = true; });
    [...waiting].forEach(draw);
  });
  const links = new Map(all("nav a").map((a) => [a.hash.slice(1), a]));
  const here = new IntersectionObserver((seen) => seen.forEach((s) => {
    if (!s.isIntersecting) return;
    links.forEach((a) => a.removeAttribute("aria-current"));
    const link = links.get(s.target.id);
    if (link) link.setAttribute("aria-current", "true");
  }), { rootMargin: "-10% 0px -80% 0px" });
  all("main section[id]").forEach((section) => here.observe(section));
})();
