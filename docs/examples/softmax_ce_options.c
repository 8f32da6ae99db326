/* Softmax cross-entropy with options, and its gradient: t_j = w_j ((1 - epsilon) [j = label] + epsilon / n_classes). */

#include <math.h>
#include "softmax_ce.h"

const uint32_t softmax_ce_takes = SOFTMAX_CE_SUM | SOFTMAX_CE_NONE | SOFTMAX_CE_LABEL_SMOOTHING |
                                  SOFTMAX_CE_CLASS_WEIGHTS | SOFTMAX_CE_IGNORE_INDEX;

#define SOFTMAX_CE_OPTIONS(NAME, REAL, EXP, LOG)                                                       \
int NAME(const REAL *logits, const int64_t *labels, int64_t n_rows, int64_t n_classes,                 \
         const softmax_ce_options *options, REAL *loss, REAL *gradient) {                              \
    const REAL *w = options->class_weights, e = (REAL)options->label_smoothing;                        \
    REAL total = 0, divisor = 0;                                                                       \
    for (int64_t i = 0; i < n_rows; i++)                                                               \
        if (!(options->ignores && labels[i] == options->ignore_index))                                 \
            divisor += w ? w[labels[i]] : 1;                                                           \
    if (options->reduction != SOFTMAX_CE_IS_MEAN) divisor = 1;                                         \
    for (int64_t i = 0; i < n_rows; i++) {                                                             \
        const REAL *x = logits + i * n_classes;                                                        \
        REAL *g = gradient + i * n_classes, largest = x[0], sum = 0, mass = 0, cost = 0;               \
        int ignored = options->ignores && labels[i] == options->ignore_index;                          \
        for (int64_t j = 1; j < n_classes; j++)                                                        \
            if (x[j] > largest) largest = x[j];                                                        \
        for (int64_t j = 0; j < n_classes; j++)                                                        \
            sum += g[j] = EXP(x[j] - largest);                                                         \
        for (int64_t j = 0; j < n_classes; j++) {                                                      \
            REAL t = (w ? w[j] : 1) * ((1 - e) * (j == labels[i]) + e / n_classes);                    \
            mass += t;                                                                                 \
            if (t > 0) cost += t * (largest / 2 - x[j] / 2); /* their difference may overflow */       \
        }                                                                                              \
        for (int64_t j = 0; j < n_classes; j++) {                                                      \
            REAL t = (w ? w[j] : 1) * ((1 - e) * (j == labels[i]) + e / n_classes);                    \
            g[j] = ignored ? 0 : (mass * (g[j] / sum) - t) / divisor;                                  \
        }                                                                                              \
        REAL own = ignored ? 0 : mass * LOG(sum) + 2 * cost;                                           \
        if (options->reduction == SOFTMAX_CE_IS_NONE) loss[i] = own; else total += own;                \
    }                                                                                                  \
    if (options->reduction != SOFTMAX_CE_IS_NONE) *loss = total / divisor;                             \
    return 0;                                                                                          \
}

SOFTMAX_CE_OPTIONS(softmax_ce_options_f32, float, expf, logf)
SOFTMAX_CE_OPTIONS(softmax_ce_options_f64, double, exp, log)
