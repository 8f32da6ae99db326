// Mean softmax cross-entropy and its gradient, from one template. Build and check it:
//
//     adapters=$(python -c "import gradlab.adapters; print(*gradlab.adapters.__path__)")
//     c++ -O2 -shared -fPIC -I "$adapters" -o libce_cpp.so softmax_ce.cpp
//     gradlab check c:./libce_cpp.so:softmax_ce

#include <algorithm>
#include <cmath>
#include "softmax_ce.h"

template <typename Real>
int softmax_ce(const Real *logits, const int64_t *labels, int64_t n_rows, int64_t n_classes, Real *loss, Real *gradient) {
    Real total = 0;
    for (int64_t i = 0; i < n_rows; i++) {
        const Real *x = logits + i * n_classes;
        Real *g = gradient + i * n_classes, sum = 0;
        const Real largest = *std::max_element(x, x + n_classes);
        for (int64_t j = 0; j < n_classes; j++)
            sum += g[j] = std::exp(x[j] - largest);
        for (int64_t j = 0; j < n_classes; j++)
            g[j] = (g[j] / sum - Real(j == labels[i])) / Real(n_rows);
        total += std::log(sum) - (x[labels[i]] - largest);
    }
    *loss = total / Real(n_rows);
    return 0;
}

int softmax_ce_f32(const float *logits, const int64_t *labels, int64_t n_rows, int64_t n_classes,
                   float *loss, float *gradient) {
    return softmax_ce(logits, labels, n_rows, n_classes, loss, gradient);
}

int softmax_ce_f64(const double *logits, const int64_t *labels, int64_t n_rows, int64_t n_classes,
                   double *loss, double *gradient) {
    return softmax_ce(logits, labels, n_rows, n_classes, loss, gradient);
}
