"use strict";
(() => {
  const A = Arithmetic;
  const RISING = [-3, -2.3, -1.4, -0.8, 0.1, 0.9, 1.7, 2.6];
  const ROWS = {
    mixed: [0.5, 2, -1, 3.5, 1, -2, 3, 0],
    rising: RISING,
    falling: [...RISING].reverse(),
    "a late giant": [1, 2, 0, 1.5, -1, 2.5, 1, 40],
    "logits of 1000": [1000, 998, 1003, 990, 1001, 997, 1004, 1002],
  };
  const dtype = Page.dtypeChoice("dtype", update);
  const row = Page.choice("row", { legend: "the row", options: Object.keys(ROWS).map((name) => [name, name]), value: "mixed" }, update);
  const step = Page.slider("step", { label: "logits read", min: 1, max: 8, step: 1, value: 3 }, update);
  Page.find("back").addEventListener("click", () => move(-1));
  Page.find("next").addEventListener("click", () => move(1));

  function move(by) {
    step.set(Math.min(Math.max(Math.round(step.get()) + by, 1), 8));
    update();
  }

  function update() {
    const format = A.FORMATS[dtype.get()];
    const logits = ROWS[row.get()].map((x) => A.round(x, format));
    const states = Online.pass(logits, format);
    const read = Math.round(step.get());
    Page.find("back").disabled = read === 1;
    Page.find("next").disabled = read === 8;
    Page.replace("bars", bars(logits, states[read - 1], read));
    Page.replace("states", stateTable(logits, states.slice(0, read), format));
    Page.replace("long", longTable(format));
    Page.replace("compare", compareTable(logits, states, format));
    const sentence = sentenceOn(states[read - 1], read, format);
    Page.find("says").textContent = sentence;
    Page.say(sentence);
  }

  function sentenceOn(state, read, format) {
    const x = Page.decimal(state.x, format);
    if (read === 1) return `The first logit, ${x}, is the largest so far. The sum is exp(0) = 1.`;
    if (state.rose) return `${x} is larger than all before it. The sum so far is scaled by exp(m − m′) = ${Page.decimal(state.factor, format)}, and 1 is added.`;
    return `${x} is not the largest. exp(x − m) = ${Page.decimal(state.term, format)} is added; nothing is scaled.`;
  }

  const mono = (x, format) => Page.element("span", { class: "value" }, Page.decimal(x, format));

  function stateTable(logits, states, format) {
    const truths = states.map((_, k) => Online.sumOf(logits.slice(0, k + 1)));
    return Page.table(`After each logit, in ${format.name}`, ["read", "logit", "largest m", "scaled by", "added", "sum s", "in bits", "is off by"],
      states.map((state, k) => [
        String(k + 1), mono(state.x, format), [mono(state.m, format), state.rose ? " ↑ new" : ""], k ? mono(state.factor, format) : "–",
        mono(state.term, format), mono(state.s, format), Page.bits(state.s, format, Forms.judge(state.s, truths[k], format).lost),
        Page.ulps(A.errorInUlp(state.s, truths[k], format)),
      ]), "stacks");
  }

  /** A long row, in which the cost of rescaling is more than chance. */
  function longTable(format) {
    const rising = Array.from({ length: 1000 }, (_, i) => A.round(0.001 * i, format));
    const truth = Online.sumOf(rising);
    const rows = [["rising", rising], ["falling", [...rising].reverse()]].map(([words, row]) => {
      const states = Online.pass(row, format);
      return [words, String(states.filter(({ rose }) => rose).length - 1), Page.ulps(A.errorInUlp(states.at(-1).s, truth, format))];
    });
    return Page.table(`A thousand logits, 0.001 apart, in ${format.name}`, ["order", "rescaled", "the sum is off by"], rows);
  }

  function compareTable(logits, states, format) {
    const half = logits.length / 2;
    const parts = [logits.slice(0, half), logits.slice(half)].map((part) => Online.pass(part, format).at(-1));
    const truth = Online.sumOf(logits);
    const rows = [
      ["in one pass, online", states.at(-1)],
      ["in two passes", Online.twoPasses(logits, format)],
      ["two halves, merged", Online.merge(...parts, format)],
    ].map(([words, { m, s }]) => [words, mono(m, format), mono(s, format), Page.ulps(A.errorInUlp(s, truth, format))]);
    return Page.table(`The whole row in three ways, in ${format.name}`, ["how", "m", "s", "is off by"], rows, "stacks");
  }

  function bars(logits, state, read) {
    const [width, height] = window.innerWidth < 700 ? [400, 220] : [760, 220];
    const gap = width / logits.length;
    const parts = logits.map((x, k) => {
      const share = k < read ? Math.exp(x - state.m) : 0;
      const size = Math.max(share * 150, k < read ? 1 : 0);
      return Page.svg("g", {},
        Page.svg("rect", { x: k * gap + gap * 0.2, y: 175 - size, width: gap * 0.6, height: size, fill: k === read - 1 ? "var(--accent)" : "var(--soft)" }),
        Page.svg("text", { x: (k + 0.5) * gap, y: 195, "text-anchor": "middle" }, String(x).replace("-", "−")),
        Page.svg("text", { x: (k + 0.5) * gap, y: 213, "text-anchor": "middle" }, k === read - 1 ? "read now" : k < read ? "" : "…"));
    });
    parts.push(Page.svg("line", { class: "axis", x1: 0, x2: width, y1: 175, y2: 175 }));
    return Page.svg("svg", { class: "figure", viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": `Bars: exp(x − m) of the ${read} logits read so far, which add up to s. Those marked … are not yet read. The table below has the values.` }, parts);
  }

  update();
})();
