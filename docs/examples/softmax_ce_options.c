/* Softmax cross-entropy with options, and its gradient: t_j = w_j ((1 - epsilon) [j = label] + epsilon / n_classes),
   of logits c tanh(x / c) / T, with z lse^2 and eps sum_j t_j (1 - p_j) added to each row, and weights of rows.
   Included twice, by itself. */

#ifndef REAL

#include <math.h>
#include "softmax_ce.h"

const uint32_t softmax_ce_takes = SOFTMAX_CE_SUM | SOFTMAX_CE_NONE | SOFTMAX_CE_LABEL_SMOOTHING |
                                  SOFTMAX_CE_CLASS_WEIGHTS | SOFTMAX_CE_IGNORE_INDEX | SOFTMAX_CE_SOFTCAP |
                                  SOFTMAX_CE_TEMPERATURE | SOFTMAX_CE_Z_LOSS | SOFTMAX_CE_POLY_EPSILON |
                                  SOFTMAX_CE_SAMPLE_WEIGHTS | SOFTMAX_CE_UPSTREAM;

#define MAPPED(x) ((c < INFINITY ? c * TANH((x) / c) : (x)) / T)
#define SLOPE(x) ((c < INFINITY ? 1 - TANH((x) / c) * TANH((x) / c) : 1) / T)

#define NAME softmax_ce_options_f32
#define REAL float
#define EXP expf
#define LOG logf
#define TANH tanhf
#include __FILE__
#undef NAME
#undef REAL
#undef EXP
#undef LOG
#undef TANH
#define NAME softmax_ce_options_f64
#define REAL double
#define EXP exp
#define LOG log
#define TANH tanh
#include __FILE__

#else

int NAME(const REAL *logits, const int64_t *labels, int64_t n_rows, int64_t n_classes,
         const softmax_ce_options *options, REAL *loss, REAL *gradient) {
    const REAL *w = options->class_weights, e = (REAL)options->label_smoothing, c = (REAL)options->softcap;
    const REAL *s = options->sample_weights, *v = options->upstream;
    const REAL T = (REAL)options->temperature, z = (REAL)options->z_loss, eps = (REAL)options->poly_epsilon;
    REAL total = 0, divisor = 0;
    for (int64_t i = 0; i < n_rows; i++)
        if (!(options->ignores && labels[i] == options->ignore_index))
            divisor += (w ? w[labels[i]] : 1) * (s ? s[i] : 1);
    if (options->reduction != SOFTMAX_CE_IS_MEAN) divisor = 1;
    for (int64_t i = 0; i < n_rows; i++) {
        const REAL *x = logits + i * n_classes;
        REAL *g = gradient + i * n_classes, largest = MAPPED(x[0]), sum = 0, mass = 0, cost = 0, hit = 0;
        const REAL factor = s ? s[i] : 1, above = factor * (v ? v[i] : 1);
        int ignored = factor == 0 || (options->ignores && labels[i] == options->ignore_index);
        for (int64_t j = 1; j < n_classes; j++)
            if (MAPPED(x[j]) > largest) largest = MAPPED(x[j]);
        for (int64_t j = 0; j < n_classes; j++)
            sum += g[j] = EXP(MAPPED(x[j]) - largest);
        for (int64_t j = 0; j < n_classes; j++) {
            REAL t = (w ? w[j] : 1) * ((1 - e) * (j == labels[i]) + e / n_classes);
            mass += t;
            hit += t * (g[j] /= sum);
            if (t > 0) cost += t * (largest / 2 - MAPPED(x[j]) / 2); /* their difference may overflow */
        }
        REAL lse = largest + LOG(sum);
        for (int64_t j = 0; j < n_classes; j++) {
            REAL t = (w ? w[j] : 1) * ((1 - e) * (j == labels[i]) + e / n_classes), p = g[j];
            g[j] = mass * p - t;
            if (z > 0) g[j] += 2 * z * lse * p; /* lse may be infinite where it is off */
            g[j] = ignored ? 0 : (g[j] - eps * p * (t - hit)) * SLOPE(x[j]) * above / divisor;
        }
        REAL own = mass * LOG(sum) + 2 * cost + (z > 0 ? z * lse * lse : 0) + eps * (mass - hit);
        own = ignored ? 0 : factor * own;
        if (options->reduction == SOFTMAX_CE_IS_NONE) loss[i] = own; else total += own;
    }
    if (options->reduction != SOFTMAX_CE_IS_NONE) *loss = total / divisor;
    return 0;
}

#endif
