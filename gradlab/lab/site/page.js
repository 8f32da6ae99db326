"use strict";
/* What the pages share: elements, controls, numbers in decimal and in bits, and plain figures in SVG. */
const Page = (() => {
  const A = Arithmetic;
  const SVG = "http://www.w3.org/2000/svg";

  const find = (id) => document.getElementById(id);

  /** An element with attributes and children; a child that is a string is text, never markup. */
  function element(tag, attributes = {}, ...children) {
    return filled(document.createElement(tag), attributes, children);
  }

  function svg(tag, attributes = {}, ...children) {
    return filled(document.createElementNS(SVG, tag), attributes, children);
  }

  function filled(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children.flat());
    return node;
  }

  function replace(id, ...children) {
    find(id).replaceChildren(...children.flat());
  }

  // ---- controls -----------------------------------------------------------------------------------------------------

  /** A range and a number field under one label, in step with each other; {get, set, limit}. */
  function slider(place, { label, min, max, step, value }, changed) {
    const range = element("input", { type: "range", id: `${place}-range`, min, max, step, value });
    const field = element("input", { type: "number", min, max, step: "any", value, "aria-label": `${label}, as a number` });
    find(place).classList.add("slider");
    find(place).append(element("label", { for: range.id }, label), field, range);
    let current = Number(value);
    const set = (x) => {
      current = x;
      range.value = String(x);
      field.value = String(Number(x.toPrecision(8)));
    };
    range.addEventListener("input", () => {
      set(Number(range.value));
      changed();
    });
    field.addEventListener("change", () => {
      if (field.value === "" || !Number.isFinite(Number(field.value))) return set(current);
      set(Math.min(Math.max(Number(field.value), Number(field.min)), Number(field.max)));
      return changed();
    });
    const limit = (low, high, by) => {
      for (const input of [range, field]) Object.assign(input, { min: String(low), max: String(high) });
      range.step = String(by);
      set(Math.min(Math.max(current, low), high));
    };
    return { get: () => current, set, limit };
  }

  /** Radio buttons in a fieldset; {get, set}. options: [[value, words], ...]. */
  function choice(place, { legend, options, value }, changed) {
    const buttons = options.map(([name]) => element("input", { type: "radio", name: place, value: name }));
    const labels = options.map(([, words], i) => element("label", {}, buttons[i], words));
    find(place).append(element("legend", {}, legend), element("div", { class: "choices" }, labels));
    const set = (name) => buttons.forEach((button) => (button.checked = button.value === name));
    set(value);
    find(place).addEventListener("change", changed);
    return { get: () => buttons.find((button) => button.checked).value, set };
  }

  function dtypeChoice(place, changed, names = Object.keys(A.FORMATS)) {
    const options = names.map((name) => [name, name]);
    return choice(place, { legend: "dtype", options, value: "float32" }, changed);
  }

  function presets(place, table, apply) {
    for (const [words, setting] of table) {
      const button = element("button", { type: "button" }, words);
      button.addEventListener("click", () => apply(setting));
      find(place).append(button);
    }
  }

  let waiting = 0;
  /** Says a sentence to whoever listens to the page, once the controls have come to rest. */
  function say(text) {
    clearTimeout(waiting);
    waiting = setTimeout(() => (find("live").textContent = text), 400);
  }

  // ---- numbers ------------------------------------------------------------------------------------------------------

  /** A number for people: the shortest decimal that leads back to it, cut to 9 digits for float64. */
  function decimal(x, format) {
    const text = A.shortest(x, format);
    if (text.replace(/e.*|[-.]/g, "").length <= 9 || !Number.isFinite(x)) return text;
    return String(Number(x.toPrecision(9)));
  }

  /** An exact value to more digits than its format has. */
  function truthDecimal(truth, format) {
    const x = A.plain(truth);
    if (x === 0 || !Number.isFinite(x)) return decimal(x, format);
    return String(Number(x.toPrecision(format.precision === 53 ? 17 : 12)));
  }

  /** The bits of x, sign, exponent and fraction apart; the last `lost` bits are marked as wrong. */
  function bits(x, format, lost = 0) {
    const text = A.bitsOf(x, format).toString(2).padStart(format.width, "0");
    const first = format.width - format.precision + 1;
    const kept = lost >= format.precision ? 0 : format.width - Math.ceil(lost);
    const part = (name, from, to) => {
      const edge = Math.min(Math.max(kept, from), to);
      const wrong = edge < to ? [element("span", { class: "lost" }, text.slice(edge, to))] : [];
      return element("span", { class: name }, text.slice(from, edge), ...wrong);
    };
    const parts = [part("s", 0, 1), part("e", 1, first), part("f", first, format.width)];
    return element("span", { class: format.width === 64 ? "bits" : "bits short" }, parts);
  }

  /** 2 to the e, as people write it. */
  function powerOfTwo(e) {
    return `2${[...String(e)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"["0123456789".indexOf(digit)] || "⁻").join("")}`;
  }

  /** An error in units of the last place, for people. */
  function ulps(error) {
    if (Number.isNaN(error)) return "NaN";
    if (error === Infinity) return "infinite";
    if (error === 0) return "exact";
    if (error < 10) return `${error.toFixed(2)} ULP`;
    return error < 1e6 ? `${Math.round(error).toLocaleString("en")} ULP` : `${error.toExponential(1)} ULP`;
  }

  /** A table; rows of cells, each a string or nodes; `labels` name the cells where a phone stacks them. */
  function table(caption, labels, rows, kind = "") {
    const head = element("tr", {}, labels.map((label) => element("th", { scope: "col" }, label)));
    const body = rows.map((cells) =>
      element("tr", {}, cells.map((cell, i) =>
        i ? element("td", { "data-label": labels[i] }, cell) : element("th", { scope: "row" }, cell))));
    return element("table", { class: kind }, element("caption", {}, caption), element("thead", {}, head),
      element("tbody", {}, body));
  }

  return { find, element, svg, replace, slider, choice, dtypeChoice, presets, say, decimal, truthDecimal, powerOfTwo, bits, ulps, table };
})();
