// The page of bethe's runs: news come by server-sent events, curves as pictures
// that the server draws.
import { canvas } from "./draw.js";
import { field } from "./fill.js";

const boundWords = { likelihood: "log-likelihood", bound_estimate: "estimate of the bound", likelihood_estimate: "estimate of the log-likelihood", quenched: "quenched objective, no bound" };
const el = (id) => document.getElementById(id);
const runs = new Map(); // name -> what the server last said of it
let names = [];
let chosen = ""; // the run whose numbers and pictures are shown
const ticked = new Set(); // those drawn over each other

// name, title, whether it is of one run only, and where it is shown
const figures = [
  ["bound", "Lower bound and log-likelihood", false, "chief"], ["kl", "KL per synapse", false, "chief"], ["teacher", "Overlap with the teacher", false, "chief"], ["polarised", "Decided synapses", false, "chief"],
  ["overlap", "Overlap of hidden units"], ["magnetisations", "Histogram of magnetisations", true], ["magnetisation-history", "Magnetisations over learning", true],
  ["spectrum", "Singular values of the synapses", true], ["coupling", "Coupling"], ["rate", "Learning rate"], ["label-error", "Labels told wrong"], ["validation", "Log-likelihood of data not learned from"], ["online", "Log-likelihood by the meter"], ["ln-z", "ln Z by the meter"], ["work", "Work, heat and dissipation of the chains"], ["data-term", "Data term of the bound"],
  ["partition-term", "Partition term of the bound"], ["residual", "Residual of message passing"], ["iterations", "Iterations of message passing"],
];

const number = (x, digits) => x === null || x === undefined ? "–" : x.toFixed(digits).replace("-", "−");
const percent = (x) => x === null || x === undefined ? "–" : `${(100 * x).toFixed(0)} %`;

function duration(seconds) {
  if (seconds === null || !isFinite(seconds)) return "";
  const s = Math.round(seconds), h = Math.floor(s / 3600), m = Math.floor(s % 3600 / 60);
  return h ? `${h} h ${m} min` : m ? `${m} min ${s % 60} s` : `${s} s`;
}

// Theme: what was chosen here, else that of the system.
const system = matchMedia("(prefers-color-scheme: dark)");
const theme = () => el("theme").value === "auto" ? (system.matches ? "dark" : "light") : el("theme").value;
function setTheme() {
  document.documentElement.dataset.theme = theme();
  drawFigures();
  drawing.repaint();
}
el("theme").addEventListener("change", setTheme);
system.addEventListener("change", setTheme);

// show swaps a picture once the new one is there, so that nothing flickers; of
// several asked for while one loads only the last is loaded.
function show(img, src, alt) {
  img.alt = alt;
  if (img.dataset.want === src) return;
  img.dataset.want = src;
  if (img.dataset.busy) return;
  img.dataset.busy = "1";
  const next = new Image();
  const end = (ok) => {
    delete img.dataset.busy;
    const figure = img.closest("figure");
    if (ok) img.src = next.src;
    if (figure) figure.hidden = !ok;
    if (img.dataset.want !== src) {
      const want = img.dataset.want;
      delete img.dataset.want;
      show(img, want, img.alt);
    }
  };
  next.onload = () => end(true);
  next.onerror = () => end(false);
  next.src = src;
}

// Figures that the run has no numbers for are answered by 404 and stay hidden;
// they are asked for only where news tell that there may be some.
const places = new Map();
for (const [name, title, , where] of figures) {
  const figure = document.createElement("figure"), img = document.createElement("img");
  figure.hidden = true;
  figure.id = `figure-${name}`;
  img.alt = title;
  figure.append(img);
  el(where || "figures").append(figure);
  places.set(name, img);
}

let gone = false; // the server has ended: nothing new can be had of it
// over are the runs that are drawn over each other, in the order of their names, which is that of their colours.
function over() {
  const of = names.filter((n) => ticked.has(n) && runs.has(n)).slice(0, 7);
  if (!of.includes(chosen)) of.unshift(chosen);
  return of.slice(0, 7);
}

// wide is how many pixels a chart has across; the server draws it as wide, so that its type is as large as that of the page.
function wide(grid) {
  const cell = parseFloat(getComputedStyle(grid).gridTemplateColumns);
  return Math.max(240, Math.round(((cell || 360) - 12) / 40) * 40);
}

function drawFigures() {
  const run = runs.get(chosen);
  if (!run || document.hidden || gone) return;
  const all = over(), grids = { chief: wide(el("chief")), figures: wide(el("figures")) };
  for (const [name, title, single, where] of figures) {
    const img = places.get(name), of = single ? [chosen] : all;
    if (!of.some((n) => runs.get(n).figures.includes(name))) {
      img.closest("figure").hidden = true;
      continue;
    }
    const query = of.map((n) => `run=${encodeURIComponent(n)}`).join("&") + `&theme=${theme()}&w=${grids[where || "figures"]}&v=${of.map((n) => `${runs.get(n).began}-${runs.get(n).drawn}`).join(".")}`;
    let alt = `${title} of ${of.join(", ")} against steps`;
    if (name === "bound" && run.bound !== null) alt += `; the bound of ${chosen} is ${number(run.bound, 2)} nats per sample at step ${run.step}`;
    show(img, `figure/${name}.svg?${query}`, alt);
  }
}
let resized = 0;
addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(drawFigures, 150); });

// The slider follows the last checkpoint until it is moved elsewhere.
let follow = true;
function drawPictures() {
  const run = runs.get(chosen), slider = el("slider");
  el("pictures-section").hidden = !run || run.pictures.length === 0;
  if (!run || run.pictures.length === 0 || gone) return;
  slider.max = run.pictures.length - 1;
  if (follow) slider.value = slider.max;
  const at = run.pictures[Number(slider.value)];
  const words = `step ${at.step}${at.start ? `, start ${at.start + 1}` : ""} (${Number(slider.value) + 1} of ${run.pictures.length})`;
  el("slider-step").textContent = words;
  slider.setAttribute("aria-valuetext", words);
  const query = `?run=${encodeURIComponent(run.name)}&b=${run.began}`;
  show(el("synapses"), `picture/${at.synapses}${query}`, `Posterior means of the synapses of each hidden unit after ${words}`);
  show(el("samples"), `picture/${at.samples}${query}`, `Samples of the machine after ${words}`);
  el("data").closest("figure").hidden = !run.has_data;
  if (run.has_data) show(el("data"), `picture/data.png${query}`, `Some samples of ${run.data}`);
}
el("slider").addEventListener("input", () => {
  follow = el("slider").value === el("slider").max;
  drawPictures();
});

// The raster is drawn of the machine as it is at each news.
let spikes = 0; // another number gives other spikes
function drawRaster() {
  const run = runs.get(chosen), tau = el("tau").value;
  el("raster-section").hidden = !run || !run.drawable || !run.spiking;
  if (tau === "0") el("raster-figure").hidden = true;
  if (!run || !run.drawable || !run.spiking || tau === "0" || document.hidden || gone) return;
  show(el("raster"), `raster.png?run=${encodeURIComponent(run.name)}&tau=${tau}&draw=${spikes}&v=${run.began}-${run.pictures.length}-${run.finished}`, `Spikes of ${run.name}, windows of ${tau} steps`);
}
el("tau").addEventListener("change", () => { delete el("raster").dataset.want; drawRaster(); });
el("respike").addEventListener("click", () => { spikes++; drawRaster(); });

function drawNumbers() {
  const run = runs.get(chosen);
  if (!run) return;
  el("run-title").textContent = run.name;
  el("what").textContent = `${run.verb}: ${run.visible} × ${run.hidden} synapses, data ${run.data}`;
  el("progress").value = run.fraction;
  el("left").textContent = run.finished ? `done in ${duration(run.seconds)}` : run.left !== null ? `${percent(run.fraction)}, ${duration(run.left)} left` : percent(run.fraction);
  el("n-step").textContent = run.step;
  el("n-epoch").textContent = number(run.epoch, 1);
  el("n-bound").textContent = number(run.bound, 2);
  el("bound-kind").textContent = boundWords[run.bound_kind] || "bound";
  el("n-likelihood").textContent = run.exact !== null ? number(run.exact, 2)
    : run.forward !== null || run.reverse !== null ? `${number(run.reverse, 1)}…${number(run.forward, 1)}` : "–";
  el("n-polarised").textContent = percent(run.polarised);
  el("n-kl").textContent = number(run.kl, 3);
  el("n-coupling").textContent = number(run.coupling, 4);
  el("problem").hidden = !run.problem;
  el("problem").textContent = run.problem || "";
  document.title = `${run.finished ? "" : `${percent(run.fraction)} `}${run.name} – bethe`;
  el("again-section").hidden = !run.command;
  el("command").textContent = run.command || "";
  el("synapses-words").textContent = run.verb === "planted" ? "Synapses, a row a hidden unit" : "Synapses of each hidden unit";
  el("draw-section").hidden = !run.drawable || run.worded;
  el("fill-section").hidden = !run.drawable || !run.worded;
  if (run.drawable && run.worded) filling.of(run.name);
  else if (run.drawable) drawing.of(run.name, run.width, run.height);
}

// Columns of the table: heading, what the cell says, what it sorts by, and whether the largest goes first.
const done = (run) => run.finished ? "yes" : percent(run.fraction);
const low = (run) => run.exact ?? run.reverse, high = (run) => run.exact ?? run.forward;
const columns = [
  ["run", (run) => run.name, (run) => run.name, false], ["began", (run) => began(run.began), (run) => run.began, true],
  ["units", (run) => `${run.visible} × ${run.hidden}`, (run) => run.hidden, true], ["done", (run) => run.problem ? `${done(run)}, problem` : done(run), (run) => run.finished ? 2 : run.fraction, true],
  ["steps", (run) => run.step, (run) => run.step, true], ["bound", (run) => number(run.bound, 2), (run) => run.bound, true],
  ["log-likelihood, reverse", (run) => number(low(run), 2), low, true], ["log-likelihood, forward", (run) => number(high(run), 2), high, true],
];
let by = 1, falling = true; // newest first
const began = (seconds) => new Date(1000 * seconds).toLocaleString("sv", { dateStyle: "short", timeStyle: "short" });

// sorted are the names of runs in the order of the table; what was not measured goes last.
function sorted() {
  const key = (name) => runs.has(name) ? columns[by][2](runs.get(name)) ?? null : null;
  return names.map((name, k) => [name, key(name), k]).sort(([, a, j], [, b, k]) => {
    if (a === null || b === null || a === b) return (a === null) - (b === null) || (by === 1 ? k - j : j - k);
    return (a < b ? -1 : 1) * (falling ? -1 : 1);
  }).map(([name]) => name);
}

for (const [k, [title, , , largest]] of columns.entries()) {
  const head = document.createElement("th"), press = document.createElement("button");
  head.scope = "col";
  press.type = "button";
  press.textContent = title;
  press.addEventListener("click", () => { falling = by === k ? !falling : largest; by = k; drawTable(); });
  head.append(press);
  el("runs").tHead.rows[0].append(head);
}

function drawTable() {
  el("runs-section").hidden = names.length < 2;
  const body = el("runs").tBodies[0], heads = el("runs").tHead.rows[0].cells, all = over();
  columns.forEach((_, k) => { k === by ? heads[k + 1].setAttribute("aria-sort", falling ? "descending" : "ascending") : heads[k + 1].removeAttribute("aria-sort"); });
  for (const row of [...body.rows]) if (!names.includes(row.dataset.run)) row.remove();
  let at = 0;
  for (const name of sorted()) {
    const run = runs.get(name);
    if (!run) continue;
    let row = [...body.rows].find((r) => r.dataset.run === name);
    if (!row) {
      row = body.insertRow();
      row.dataset.run = name;
      for (let k = 0; k <= columns.length; k++) row.insertCell();
      const box = document.createElement("input"), swatch = document.createElement("span"), link = document.createElement("button");
      box.type = "checkbox";
      box.setAttribute("aria-label", `draw ${name} over the others`);
      box.addEventListener("change", () => { box.checked ? ticked.add(name) : ticked.delete(name); drawTable(); drawFigures(); });
      link.type = "button";
      link.className = "link";
      link.textContent = name;
      link.addEventListener("click", () => choose(name));
      row.cells[0].append(box, swatch);
      row.cells[1].append(link);
    }
    if (body.rows[at] !== row) body.insertBefore(row, body.rows[at]);
    at++;
    row.setAttribute("aria-current", String(name === chosen));
    row.cells[0].firstChild.checked = ticked.has(name);
    row.cells[0].lastChild.className = all.length > 1 && all.includes(name) ? `swatch series-${all.indexOf(name)}` : "";
    columns.slice(1).forEach(([, says], k) => { row.cells[k + 2].textContent = says(run); });
  }
}

function choose(name) {
  ticked.delete(chosen);
  chosen = name;
  ticked.add(name);
  follow = true;
  drawAll();
}

function drawAll() {
  drawTable();
  drawNumbers();
  drawFigures();
  drawPictures();
  drawRaster();
}

const drawing = canvas(el), filling = field(el);

// newest is the run that began last, of those without a problem if there are any.
function newest() {
  const whole = names.filter((n) => runs.has(n) && !runs.get(n).problem), of = whole.length ? whole : names;
  return of.reduce((best, n) => (runs.get(n)?.began ?? 0) >= (runs.get(best)?.began ?? 0) ? n : best, of[0]);
}

function hear(news) {
  names = news.names;
  for (const run of news.runs) runs.set(run.name, run);
  for (const name of [...runs.keys()]) if (!names.includes(name)) { runs.delete(name); ticked.delete(name); }
  if (!runs.has(chosen) && names.length > 0) choose(newest());
  const learning = names.filter((n) => runs.has(n) && !runs.get(n).finished).length;
  el("status").textContent = news.error || (names.length === 0 ? "no run here yet" : `${names.length} run${names.length > 1 ? "s" : ""}, ${learning} learning`);
  drawAll();
}

// News, also those that came while the page was hidden.
let last;
function listen() {
  const stream = new EventSource("api/events");
  stream.onmessage = (event) => hear(JSON.parse(event.data));
  stream.addEventListener("end", () => {
    stream.close();
    gone = true;
    el("status").textContent = "the server has ended; bethe serve shows the run again";
  });
  stream.onerror = () => {
    el("status").textContent = "the server is gone; trying again…";
    if (stream.readyState === EventSource.CLOSED) { clearTimeout(last); last = setTimeout(listen, 3000); }
  };
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) drawAll(); });

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea, canvas")) return;
  const slider = el("slider");
  if (event.key === "r" && names.length > 0) choose(sorted()[(sorted().indexOf(chosen) + 1) % names.length]);
  else if (event.key === "[" || event.key === "]") {
    slider.value = Number(slider.value) + (event.key === "]" ? 1 : -1);
    slider.dispatchEvent(new Event("input"));
  } else if (event.key === "t") {
    el("theme").value = theme() === "dark" ? "light" : "dark";
    setTheme();
  }
});

el("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(el("command").textContent);
    el("copy").textContent = "copied";
  } catch { // the page is not trusted with it: select the words instead
    getSelection().selectAllChildren(el("command"));
  }
});

setTheme();
listen();
