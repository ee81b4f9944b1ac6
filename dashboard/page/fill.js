// A field in which known values of a sample are written, and the machine fills in
// the others: for samples that are no pictures.
export function field(el) {
  const text = el("values"), list = el("rows");
  let run = "", draw = 0, busy = false, again = false, timer = 0;

  // of sets the run that completes.
  function of(name) {
    if (name === run) return;
    run = name;
    text.value = "";
    list.replaceChildren();
    el("fill-status").textContent = "";
  }

  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(complete, 400);
  });
  el("fill").addEventListener("click", () => complete());
  el("fill-again").addEventListener("click", () => { draw++; complete(); });
  el("fill-clear").addEventListener("click", () => { text.value = ""; text.focus(); complete(); });

  async function complete() {
    if (busy) { again = true; return; }
    busy = true;
    const asked = performance.now();
    try {
      const reply = await fetch("api/complete", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ run, values: text.value, draw }) });
      if (!reply.ok) throw new Error(await reply.text());
      const got = await reply.json();
      list.replaceChildren(...got.rows.map(row));
      el("fill-status").textContent = `${got.rows.length} completions of ${got.known} known values, ${got.sweeps} sweeps, in ${Math.round(performance.now() - asked)} ms`;
    } catch (error) {
      el("fill-status").textContent = error.message.trim();
    }
    busy = false;
    if (again) { again = false; complete(); }
  }

  // row shows a completion; what the machine filled in stands out. A click takes it into the field.
  function row(words) {
    const item = document.createElement("li"), take = document.createElement("button");
    const letters = !words.includes(",");
    const split = (s) => letters ? [...s.replace(/\s/g, "")] : s.includes(",") ? s.split(",") : s.trim().split(/\s+/);
    const known = split(text.value);
    take.type = "button";
    take.title = "take these values";
    take.append(...split(words).map((word, k) => {
      const one = document.createElement((known[k] || "?").trim() in { "": 0, "?": 0 } ? "b" : "span");
      one.textContent = letters || k === 0 ? word.trim() : `, ${word.trim()}`;
      return one;
    }));
    take.addEventListener("click", () => { text.value = words; text.focus(); });
    item.append(take);
    return item;
  }

  return { of };
}
