/* Mean softmax cross-entropy and its gradient. Build and check it:

     adapters=$(python -c "import gradlab.adapters; print(*gradlab.adapters.__path__)")
     cc -O2 -shared -fPIC -I "$adapters" -o libce.so softmax_ce.c -lm
     gradlab check c:./libce.so:softmax_ce */

#include <math.h>
#include "softmax_ce.h"

#define SOFTMAX_CE(NAME, REAL, EXP, LOG)                                                               \
int NAME(const REAL *logits, const int64_t *labels, int64_t n_rows, int64_t n_classes,                 \
         REAL *loss, REAL *gradient) {                                                                 \
    REAL total = 0;                                                                                    \
    for (int64_t i = 0; i < n_rows; i++) {                                                             \
        const REAL *x = logits + i * n_classes;                                                        \
        REAL *g = gradient + i * n_classes, largest = x[0], sum = 0;                                   \
        for (int64_t j = 1; j < n_classes; j++)                                                        \
            if (x[j] > largest) largest = x[j];                                                        \
        for (int64_t j = 0; j < n_classes; j++)                                                        \
            sum += g[j] = EXP(x[j] - largest); /* no exponent above 0: exp does not overflow */        \
        for (int64_t j = 0; j < n_classes; j++)                                                        \
            g[j] = (g[j] / sum - (j == labels[i])) / n_rows;                                           \
        total += LOG(sum) - (x[labels[i]] - largest);                                                  \
    }                                                                                                  \
    *loss = total / n_rows;                                                                            \
    return 0;                                                                                          \
}

SOFTMAX_CE(softmax_ce_f32, float, expf, logf)
SOFTMAX_CE(softmax_ce_f64, double, exp, log)
