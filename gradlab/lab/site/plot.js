"use strict";
/* A plain figure in SVG: lines and dots over two axes, each of powers or of plain numbers. */
const Plot = (() => {
  const [LEFT, RIGHT, TOP, BOTTOM] = [54, 26, 30, 46];

  /** Where values lie between low and high, in a length; `log` where equal ratios are equal lengths. */
  function scale([low, high], from, to, log) {
    const place = log ? Math.log10 : (x) => x;
    return (x) => from + ((place(x) - place(low)) / (place(high) - place(low))) * (to - from);
  }

  function ticksOf([low, high], log, count) {
    if (!log) {
      const rough = (high - low) / count;
      const power = 10 ** Math.floor(Math.log10(rough));
      const by = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
      const first = Math.ceil(low / by);
      return Array.from({ length: Math.floor(high / by) - first + 1 }, (_, i) => Number(((first + i) * by).toPrecision(12)));
    }
    const [from, to] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
    const by = Math.max(1, Math.ceil((to - from) / count));
    return Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, i) => 10 ** (from + i * by));
  }

  function label(x, log) {
    return log ? Page.svg("text", {}, "10", Page.svg("tspan", { dy: -6, "font-size": 10 }, String(Math.round(Math.log10(x))))) : Page.svg("text", {}, String(x).replace("-", "−"));
  }

  /** A figure. x, y: {range: [low, high], log, words}; lines: [{points: [[x, y], ...], color, dash, width, words}];
      dots: [{at: [x, y], color, words}]; upright: {x, words}, a vertical line. words: what the figure shows. */
  function draw({ x, y, lines = [], dots = [], upright = null, words }) {
    const narrow = window.innerWidth < 700; // on a phone the letters would be too small
    const [WIDTH, HEIGHT] = narrow ? [400, 320] : [760, 390];
    const toX = scale(x.range, LEFT, WIDTH - RIGHT, x.log);
    const toY = scale(y.range, HEIGHT - BOTTOM, TOP, y.log);
    const clip = (value, { range: [low, high] }) => Math.min(Math.max(value, low), high);
    const parts = [];
    for (const tick of ticksOf(y.range, y.log, 6)) {
      parts.push(Page.svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: toY(tick), y2: toY(tick) }));
      parts.push(placed(label(tick, y.log), LEFT - 8, toY(tick) + 4, "end"));
    }
    for (const tick of ticksOf(x.range, x.log, narrow ? 4 : 8)) {
      parts.push(Page.svg("line", { class: "grid", x1: toX(tick), x2: toX(tick), y1: TOP, y2: HEIGHT - BOTTOM }));
      parts.push(placed(label(tick, x.log), toX(tick), HEIGHT - BOTTOM + 18, "middle"));
    }
    parts.push(placed(Page.svg("text", {}, x.words), (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "middle"));
    parts.push(placed(Page.svg("text", {}, y.words), 4, 14, "start"));
    if (upright) {
      const at = toX(clip(upright.x, x));
      parts.push(Page.svg("line", { x1: at, x2: at, y1: TOP, y2: HEIGHT - BOTTOM, stroke: "var(--accent)", "stroke-width": 2, "stroke-dasharray": "2 4" }));
    }
    for (const { points, color, dash = "", width = 2 } of lines) {
      parts.push(Page.svg("path", { d: pathOf(points, toX, toY, (value) => clip(value, y)), fill: "none", stroke: color, "stroke-width": width, "stroke-dasharray": dash, "stroke-linejoin": "round" }));
    }
    for (const { at: [dx, dy], color, size = 2.5 } of dots) {
      parts.push(Page.svg("circle", { cx: toX(clip(dx, x)), cy: toY(clip(dy, y)), r: size, fill: color }));
    }
    return Page.svg("svg", { class: "figure", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words }, parts);
  }

  function placed(text, x, y, anchor) {
    for (const [name, value] of [["x", x], ["y", y], ["text-anchor", anchor]]) text.setAttribute(name, value);
    return text;
  }

  /** The path through points; it is interrupted where a value is no finite number. */
  function pathOf(points, toX, toY, clip) {
    let pen = "M";
    return points.map(([px, py]) => {
      if (py === null || !Number.isFinite(py)) {
        pen = "M";
        return "";
      }
      const command = `${pen}${toX(px).toFixed(1)} ${toY(clip(py)).toFixed(1)}`;
      pen = "L";
      return command;
    }).join("");
  }

  /** What the colours of a figure mean, as a list. */
  function legend(entries) {
    return Page.element("ul", { class: "key" }, entries.map(({ color, words, dash }) => Page.element("li", {},
      Page.svg("svg", { width: 28, height: 12, "aria-hidden": "true" },
        Page.svg("line", { x1: 0, x2: 28, y1: 6, y2: 6, stroke: color, "stroke-width": 3, "stroke-dasharray": dash || "" })), " ", words)));
  }

  return { draw, legend };
})();
