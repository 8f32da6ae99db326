"use strict";
(() => {
  const A = Arithmetic;
  const PRESETS = [
    ["0.1", "0.1"], ["1", "1"], ["1/3", "0.3333333333333333333"], ["16777217 = 2²⁴ + 1", "16777217"],
    ["the largest float32", "3.4028234663852886e38"], ["the smallest float32", "1.401298464324817e-45"], ["a gradient: e⁻¹⁷", "4.139937718785167e-8"],
  ];
  let bits = 0n;
  let typed = "0.1";
  const dtype = Page.dtypeChoice("dtype", read);
  const large = Page.slider("large", { label: "a power of two: 2 to the", min: 0, max: 60, step: 1, value: 24 }, addition);
  const small = Page.slider("small", { label: "a small number", min: 0, max: 4, step: 0.125, value: 1 }, addition);
  Page.presets("presets", PRESETS, (text) => {
    Page.find("typed").value = text;
    read();
  });
  Page.find("typed").addEventListener("input", read);
  Page.find("up").addEventListener("click", () => step(1n));
  Page.find("down").addEventListener("click", () => step(-1n));

  const formatNow = () => A.FORMATS[dtype.get()];

  /** The float nearest to the typed decimal; exact also where the decimal is longer than a float64. */
  function read() {
    const text = Page.find("typed").value.trim().replace(/^\+/, "");
    const valid = /^-?(\d+\.?\d*|\.\d+)(e[-+]?\d{1,3})?$/i.test(text);
    Page.find("typed").setAttribute("aria-invalid", String(!valid));
    if (valid) {
      typed = text;
      bits = A.bitsOf(Decimals.round(text, formatNow()), formatNow());
    }
    show();
    addition();
  }

  function step(by) {
    const format = formatNow();
    const x = A.fromBits(bits, format);
    const ordinal = A.ordinalOf(x, format) + by;
    const last = A.ordinalOf(format.largest, format);
    if (!Number.isFinite(x) || ordinal > last || ordinal < -last) return;
    bits = A.bitsOf(A.fromOrdinal(ordinal, format), format);
    typed = null;
    show();
  }

  function flip(place) {
    bits ^= 1n << BigInt(place);
    typed = null;
    show();
    Page.find(`bit-${place}`).focus();
  }

  function show() {
    const format = formatNow();
    const x = A.fromBits(bits, format);
    switches(format);
    Page.replace("facts", Page.table(`The float, ${format.name}`, ["what", "value"], facts(x, format)));
    Page.replace("line", ...(Number.isFinite(x) ? [line(x, format)] : [Page.element("p", {}, "It is no number on the line.")]));
    const sentence = sentenceOn(x, format);
    Page.find("says").textContent = sentence;
    Page.say(sentence);
  }

  function sentenceOn(x, format) {
    if (Number.isNaN(x)) return "These bits are NaN, not a number. Whatever is computed with it is NaN again.";
    if (!Number.isFinite(x)) return "These bits are infinity: what is larger than the largest float becomes this.";
    if (typed === null) return `These bits are exactly ${shortened(A.exactDecimal(x))}.`;
    const difference = Decimals.difference(typed, x);
    if (difference === "0") return `${typed} is a float: nothing is rounded.`;
    return `${typed} is not a float. The nearest one is off by ${difference}.`;
  }

  function shortened(text) {
    return text.length < 60 ? text : `${text.slice(0, 40)}… (${text.replace(/[-.]/g, "").length} digits)`;
  }

  function switches(format) {
    const text = bits.toString(2).padStart(format.width, "0");
    const first = format.width - format.precision + 1;
    const kinds = [["s", "sign", 0, 1], ["e", "exponent", 1, first], ["f", "fraction", first, format.width]];
    Page.replace("switches", kinds.map(([kind, words, from, to]) => {
      const buttons = [...text.slice(from, to)].map((bit, i) => {
        const place = format.width - 1 - from - i;
        const button = Page.element("button", {
          type: "button", id: `bit-${place}`, "aria-pressed": String(bit === "1"), "aria-label": `${words} bit ${to - from - 1 - i}`,
        }, bit);
        button.addEventListener("click", () => flip(place));
        return button;
      });
      return Page.element("div", { class: kind }, Page.element("span", { class: "note" }, words), Page.element("div", {}, buttons));
    }));
  }

  function facts(x, format) {
    if (!Number.isFinite(x)) return [["value", Page.decimal(x, format)]];
    const last = A.lastBit(x, format);
    const whole = A.ldexp(Math.abs(x), -last);
    const mono = (text) => Page.element("span", { class: "value" }, text);
    const field = Number((bits >> BigInt(format.precision - 1)) & ((1n << BigInt(format.width - format.precision)) - 1n));
    return [
      ["a whole number times a power of two", mono(`${x < 0 ? "−" : ""}${whole} × ${Page.powerOfTwo(last)}`)],
      ["every digit of it", mono(A.exactDecimal(x))],
      ["the shortest decimal that leads to it", mono(A.shortest(x, format))],
      ["its ordinal: which float it is, counted from 0", mono(A.ordinalOf(x, format).toString())],
      ["the spacing here: 1 ULP", mono(`${Page.powerOfTwo(last)} = ${Page.decimal(A.spacing(x, format), A.FORMATS.float64)}`)],
      ["kind", field === 0 ? (x === 0 ? "zero" : "subnormal: below the smallest normal float the spacing no longer shrinks") : "normal: the leading 1 is not stored"],
    ];
  }

  function line(x, format) {
    const ordinal = A.ordinalOf(x, format);
    const last = A.ordinalOf(format.largest, format);
    const narrow = window.innerWidth < 700;
    const reach = narrow ? [-1n, 0n, 1n] : [-3n, -2n, -1n, 0n, 1n, 2n, 3n];
    const near = reach.map((by) => ordinal + by).filter((o) => o <= last && o >= -last);
    const floats = near.map((o) => A.fromOrdinal(o, format));
    const unit = A.spacing(x, format);
    const middle = narrow ? 190 : 400;
    const at = (y) => middle + 105 * ((y - x) / unit);
    const marks = floats.map((y) => Page.svg("g", {},
      Page.svg("line", { x1: at(y), x2: at(y), y1: y === x ? 42 : 50, y2: 70, stroke: y === x ? "var(--accent)" : "var(--soft)", "stroke-width": y === x ? 4 : 1.5 }),
      Page.svg("text", { x: at(y), y: 90, "text-anchor": "middle" }, short(y, format))));
    const children = [Page.svg("line", { class: "axis", x1: 10, x2: 2 * middle - 10, y1: 60, y2: 60 }), ...marks];
    if (typed !== null) {
      const offset = at(x) + 105 * Decimals.offset(typed, x, unit);
      children.push(Page.svg("path", { d: `M${offset} 40 l-8 -14 h16 z`, fill: "var(--bad)" }));
      children.push(Page.svg("text", { x: offset, y: 18, "text-anchor": "middle" }, typed.length < 24 ? typed : "typed"));
    }
    const words = `The floats near ${A.shortest(x, format)}: ${floats.map((y) => A.shortest(y, format)).join(", ")}.`;
    return Page.svg("svg", { class: "figure", viewBox: `0 0 ${2 * middle} 100`, role: "img", "aria-label": words }, children);
  }

  function short(y, format) {
    const text = A.shortest(y, format);
    return text.length <= 12 ? text : `…${text.replace(/e.*/, "").slice(-6)}`;
  }

  function addition() {
    const format = formatNow();
    const a = A.round(2 ** large.get(), format);
    const b = A.round(small.get(), format);
    const sum = A.round(a + b, format);
    const back = A.round(sum - a, format);
    const rows = [["a", a], ["b", b], ["a + b, rounded", sum], ["(a + b) − a", back]].map(([words, value]) =>
      [words, Page.element("span", { class: "value" }, Number.isFinite(value) ? A.exactDecimal(value) : String(value)), Page.bits(value, format)]);
    rows[3][1].append(Page.element("span", { class: back === b ? "right" : "wrong" }, back === b ? " ✓ b again" : ` ✗ not b: off by ${Math.abs(back - b)}`));
    Page.replace("sum", Page.table(`In ${format.name}`, ["number", "value", "in bits"], rows, "stacks"));
    Page.say(`a plus b, less a, is ${back}; b is ${b}.`);
  }

  function spacings() {
    const rows = [1, 1000, 2 ** 24, 1e-8, 1e-40].map((x) => [
      A.shortest(x, A.FORMATS.float64),
      ...Object.values(A.FORMATS).map((format) => {
        const y = A.round(x, format);
        return Number.isFinite(y) ? Page.decimal(A.spacing(y, format), A.FORMATS.float64) : "beyond the largest";
      }),
    ]);
    Page.replace("spacings", Page.table("The spacing near a number", ["near", "float16", "float32", "float64"], rows));
  }

  spacings();
  read();
})();
