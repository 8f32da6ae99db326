"use strict";
(() => {
  const A = Arithmetic;
  const REACH = { float16: 24, float32: 128, float64: 960 };
  const SIZE = 48;
  const WORDS = { loss: "the loss", entry: "the label’s entry of the gradient" };
  const FATES = {
    right: "right", inaccurate: "inaccurate", zero: "0, all digits lost", overflow: "infinite", NaN: "NaN",
  };
  const dtype = Page.dtypeChoice("dtype", redraw);
  const quantity = Page.choice("quantity", {
    legend: "what is shown", value: "entry", options: [["entry", "label’s entry"], ["loss", "loss"]],
  }, redraw);
  const offset = Page.slider("offset", { label: "offset of all logits", min: -128, max: 128, step: 1, value: 0 }, move);
  const margin = Page.slider("margin", { label: "margin of the label", min: -128, max: 128, step: 1, value: 20 }, move);
  const crosses = [];

  function redraw() {
    const format = A.FORMATS[dtype.get()];
    const reach = REACH[dtype.get()];
    for (const control of [offset, margin]) control.limit(-reach, reach, reach / 128);
    const maps = Maps.draw(quantity.get(), format, reach, SIZE);
    crosses.length = 0;
    Page.replace("maps", Forms.NAMES.map((name) => Page.element("div", {}, Page.element("p", { class: "title" }, name, Page.element("span", { class: "note" }, " offset →, margin ↑")), picture(name, maps[name], reach))));
    Page.replace("ends", endsTable());
    move();
  }

  function picture(name, rows, reach) {
    const cells = rows.flatMap((runs, y) => runs.map(({ fate, from, to }) =>
      Page.svg("rect", { class: `fate-${fate}`, x: from, y, width: to - from + 0.02, height: 1.02 })));
    const cross = Page.svg("path", { fill: "none", stroke: "#fff", "stroke-width": 0.5 });
    const outline = Page.svg("path", { fill: "none", stroke: "#000", "stroke-width": 1.1 });
    crosses.push(cross, outline);
    const image = Page.svg("svg", { class: "figure", viewBox: `0 0 ${SIZE} ${SIZE}`, "shape-rendering": "crispEdges", role: "img",
      "aria-label": `${name}: the fate of ${WORDS[quantity.get()]} for offsets and margins from −${reach} to ${reach}. The sliders read single points.` },
    cells, outline, cross);
    image.addEventListener("click", (event) => {
      const box = image.getBoundingClientRect();
      const at = (share) => Math.round((2 * share - 1) * 128) * (reach / 128);
      offset.set(at((event.clientX - box.left) / box.width));
      margin.set(-at((event.clientY - box.top) / box.height));
      move();
    });
    return image;
  }

  function move() {
    const format = A.FORMATS[dtype.get()];
    const reach = REACH[dtype.get()];
    const [x, y] = [offset.get(), -margin.get()].map((value) => ((value / reach + 1) / 2) * SIZE);
    for (const cross of crosses) cross.setAttribute("d", `M${x - 2} ${y}h4M${x} ${y - 2}v4`);
    const row = Maps.rowAt(offset.get(), margin.get(), format);
    const fates = Forms.NAMES.map((name) => ({ name, ...Maps.fateAt(name, row, quantity.get(), format) }));
    const cells = fates.map(({ name, value, fate, error, lost }) => [
      name,
      Page.element("span", { class: "value" }, Page.decimal(value, format)),
      Page.element("span", { class: fate === "right" ? "right" : "wrong" },
        fate === "right" ? `✓ ${Page.ulps(error)}` : `✗ ${FATES[fate]}${fate === "inaccurate" ? `: ${Math.round(lost)} of ${format.precision} bits wrong` : ""}`),
    ]);
    cells.unshift(["the truth, rounded", Page.element("span", { class: "value" }, Page.decimal(fates[0].right, format)), ""]);
    Page.replace("here", Page.table(`${WORDS[quantity.get()]} of logits ${row.map((logit) => Page.decimal(logit, format)).join(" and ")}`, ["form", "value", "is off by"], cells));
    const right = fates.filter(({ fate }) => fate === "right").map(({ name }) => name);
    const sentence = `At offset ${offset.get()} and margin ${margin.get()}, ${WORDS[quantity.get()]} is right in ${right.length ? right.join(", ") : "no form"}.`;
    Page.find("says").textContent = sentence;
    Page.say(sentence);
  }

  function endsTable() {
    const rows = Forms.NAMES.flatMap((name) => Object.keys(WORDS).map((key) => [
      `${name}, ${WORDS[key]}`,
      ...Object.values(A.FORMATS).map((format) => {
        const end = Maps.lostFrom(name, key, format, REACH[format.name]);
        return end === null ? "not in the map" : end.toFixed(1);
      }),
    ]));
    return Page.table("Lost from margin", ["form", "float16", "float32", "float64"], rows);
  }

  redraw();
})();
