/* What `gradlab check c:./libce.so:softmax_ce` calls: NAME_f32, NAME_f64, or both; here for the NAME softmax_ce.

   logits: n_rows rows of n_classes numbers, one row after the other; any bits, NaN and infinities too.
   labels: n_rows numbers, each at least 0 and less than n_classes.
   loss: one number to be written, the mean over the rows of log(sum_j exp x_j) - x_label; NaN where there is no row.
   gradient: n_rows rows of n_classes numbers to be written, the derivative of that mean by each logit.

   Returns 0, and anything else if the call is refused. n_classes is at least 1, n_rows may be 0. Logits and labels
   are not to be written to, and nothing beyond the arrays is to be read or written. */

#ifndef GRADLAB_SOFTMAX_CE_H
#define GRADLAB_SOFTMAX_CE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

int softmax_ce_f32(const float *logits, const int64_t *labels, int64_t n_rows, int64_t n_classes,
                   float *loss, float *gradient);
int softmax_ce_f64(const double *logits, const int64_t *labels, int64_t n_rows, int64_t n_classes,
                   double *loss, double *gradient);

#ifdef __cplusplus
}
#endif

#endif
