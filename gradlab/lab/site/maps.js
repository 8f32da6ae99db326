"use strict";
/* What becomes of a row of two classes, over its offset c and its margin m: logits c + m and c, the label's first. */
const Maps = (() => {
  const A = Arithmetic;

  function rowAt(offset, margin, format) {
    return [A.round(offset + margin, format), A.round(offset, format)];
  }

  /** The fate of the loss or of the label's entry in one form: right, inaccurate, zero, overflow or NaN, and the figures. */
  function fateAt(name, row, quantity, format, truth = Forms.truthOf(row, 0)) {
    const value = Forms.answer(name, row, 0, format)[quantity];
    return { value, ...Forms.judge(value, quantity === "loss" ? truth.loss[0] : truth.g[0], format) };
  }

  /** For each form the fates on a grid, as rows of runs {fate, from, to}; the first row has the largest margin. */
  function draw(quantity, format, reach, size) {
    const at = (i) => -reach + ((i + 0.5) * 2 * reach) / size;
    const maps = Object.fromEntries(Forms.NAMES.map((name) => [name, []]));
    for (let y = size - 1; y >= 0; y -= 1) {
      for (const name of Forms.NAMES) maps[name].push([]);
      for (let x = 0; x < size; x += 1) {
        const row = rowAt(at(x), at(y), format);
        const truth = Forms.truthOf(row, 0);
        for (const name of Forms.NAMES) extend(maps[name].at(-1), fateAt(name, row, quantity, format, truth).fate, x);
      }
    }
    return maps;
  }

  function extend(runs, fate, x) {
    const last = runs.at(-1);
    if (last && last.fate === fate) last.to = x + 1;
    else runs.push({ fate, from: x, to: x + 1 });
  }

  function isLost(name, margin, quantity, format) {
    return ["zero", "overflow", "NaN"].includes(fateAt(name, rowAt(0, margin, format), quantity, format).fate);
  }

  /** The smallest margin above 0 at which, at offset 0, a form's answer is 0 or no number and the truth is not; null
      where there is none up to `most`. Found by steps of 1/4, then by bisection down to 2^-6. */
  function lostFrom(name, quantity, format, most) {
    let high = 0.25;
    while (high <= most && !isLost(name, high, quantity, format)) high += 0.25;
    if (high > most) return null;
    let low = high - 0.25;
    while (high - low > 2 ** -6) {
      const middle = (low + high) / 2;
      if (isLost(name, middle, quantity, format)) high = middle;
      else low = middle;
    }
    return high;
  }

  return { rowAt, fateAt, draw, lostFrom };
})();
