// A canvas of as many dots as the machine has visible units: ink, paper, or
// unknown, which the machine completes.
export function canvas(el) {
  const board = el("canvas"), context = board.getContext("2d");
  let run = "", width = 0, height = 0, dots = [], tool = "+", x = 0, y = 0, draw = 0, busy = false, again = false, timer = 0;

  const shade = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

  function repaint() {
    if (!width) return;
    const w = board.width / width, h = board.height / height;
    const colours = { "+": "#000000", "-": "#ffffff", "?": shade("--unknown") };
    for (let k = 0; k < dots.length; k++) {
      context.fillStyle = colours[dots[k]];
      context.fillRect(k % width * w, Math.floor(k / width) * h, Math.ceil(w), Math.ceil(h));
    }
    if (document.activeElement === board) {
      context.strokeStyle = shade("--blue");
      context.lineWidth = 2;
      context.strokeRect(x * w + 1, y * h + 1, w - 2, h - 2);
    }
  }

  function clear() {
    dots = new Array(width * height).fill("?");
    el("completions").replaceChildren();
    el("draw-status").textContent = "";
    repaint();
  }

  // of sets the run that completes.
  function of(name, w, h) {
    if (name === run && w === width && h === height) return;
    const anew = w !== width || h !== height;
    run = name;
    [width, height] = [w, h];
    board.height = Math.round(board.width * h / w);
    if (anew) { [x, y] = [Math.floor(w / 2), Math.floor(h / 2)]; clear(); }
  }

  function dab(px, py, what) {
    const reach = what === "+" ? 0.8 : 1.2;
    for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) {
      const [qx, qy] = [Math.floor(px) + dx, Math.floor(py) + dy];
      if (qx < 0 || qy < 0 || qx >= width || qy >= height) continue;
      if (Math.hypot(qx + 0.5 - px, qy + 0.5 - py) <= reach) dots[qy * width + qx] = what;
    }
  }

  // A stroke from the last place of the pointer to this one.
  let from = null;
  function stroke(event) {
    const box = board.getBoundingClientRect();
    const to = [(event.clientX - box.left) / box.width * width, (event.clientY - box.top) / box.height * height];
    const start = from || to, n = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - start[0], to[1] - start[1])));
    for (let k = 0; k <= n; k++) dab(start[0] + (to[0] - start[0]) * k / n, start[1] + (to[1] - start[1]) * k / n, tool);
    from = to;
    repaint();
    soon();
  }
  board.addEventListener("pointerdown", (event) => { board.setPointerCapture(event.pointerId); from = null; stroke(event); });
  board.addEventListener("pointermove", (event) => { if (event.buttons) stroke(event); });
  board.addEventListener("pointerup", () => { from = null; });
  board.addEventListener("focus", repaint);
  board.addEventListener("blur", repaint);

  const words = { "+": "ink", "-": "paper", "?": "unknown" };
  const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  board.addEventListener("keydown", (event) => {
    if (keys[event.key]) {
      x = Math.max(0, Math.min(width - 1, x + keys[event.key][0]));
      y = Math.max(0, Math.min(height - 1, y + keys[event.key][1]));
      if (event.shiftKey) dots[y * width + x] = tool;
    } else if (event.key === " ") dots[y * width + x] = dots[y * width + x] === "+" ? "?" : "+";
    else if (event.key === "x") dots[y * width + x] = "-";
    else if (event.key === "Backspace") dots[y * width + x] = "?";
    else if (event.key === "Enter") complete();
    else return;
    event.preventDefault();
    el("canvas-place").textContent = `column ${x + 1}, row ${y + 1}: ${words[dots[y * width + x]]}`;
    repaint();
  });

  for (const button of document.querySelectorAll("[data-tool]")) button.addEventListener("click", () => {
    tool = button.dataset.tool;
    for (const other of document.querySelectorAll("[data-tool]")) other.setAttribute("aria-pressed", String(other === button));
  });
  el("clear").addEventListener("click", clear);
  el("complete").addEventListener("click", () => complete());
  el("again").addEventListener("click", () => { draw++; complete(); });

  // soon completes a moment after the last stroke.
  function soon() {
    clearTimeout(timer);
    timer = setTimeout(complete, 250);
  }

  async function complete() {
    if (busy) { again = true; return; }
    busy = true;
    const asked = performance.now();
    try {
      const reply = await fetch("api/complete", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ run, pixels: dots.join(""), draw }) });
      if (!reply.ok) throw new Error(await reply.text());
      const got = await reply.json();
      el("completions").replaceChildren(...got.completions.map((levels, k) => picture(levels, k, got.completions.length)));
      el("draw-status").textContent = `${got.completions.length} completions of ${got.known} known dots, ${got.sweeps} sweeps, in ${Math.round(performance.now() - asked)} ms`;
    } catch (error) {
      el("draw-status").textContent = error.message.trim();
    }
    busy = false;
    if (again) { again = false; complete(); }
  }

  function picture(levels, k, count) {
    const small = document.createElement("canvas");
    [small.width, small.height] = [width, height];
    small.setAttribute("role", "img");
    small.setAttribute("aria-label", `completion ${k + 1} of ${count}`);
    const paint = small.getContext("2d"), image = paint.createImageData(width, height);
    levels.forEach((level, i) => { if (i < width * height) image.data.set([255 - level, 255 - level, 255 - level, 255], 4 * i); });
    paint.putImageData(image, 0, 0);
    return small;
  }

  return { of, repaint };
}
