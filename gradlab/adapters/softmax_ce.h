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

/* With options: a library that defines NAME_takes is called by NAME_options_f32 and NAME_options_f64 instead. NAME_takes
   is the sum of what it takes of these besides the mean; what it does not take is off in every call. */

#define SOFTMAX_CE_SUM 1
#define SOFTMAX_CE_NONE 2
#define SOFTMAX_CE_LABEL_SMOOTHING 4
#define SOFTMAX_CE_CLASS_WEIGHTS 8
#define SOFTMAX_CE_IGNORE_INDEX 16
#define SOFTMAX_CE_SOFTCAP 32
#define SOFTMAX_CE_TEMPERATURE 64
#define SOFTMAX_CE_Z_LOSS 128
#define SOFTMAX_CE_POLY_EPSILON 256
#define SOFTMAX_CE_SAMPLE_WEIGHTS 512
#define SOFTMAX_CE_UPSTREAM 1024 /* together with SOFTMAX_CE_NONE */

enum { SOFTMAX_CE_IS_MEAN = 0, SOFTMAX_CE_IS_SUM = 1, SOFTMAX_CE_IS_NONE = 2 };

typedef struct softmax_ce_options {
    int64_t reduction;         /* SOFTMAX_CE_IS_...; with NONE, loss is n_rows numbers */
    double label_smoothing;    /* epsilon in [0, 1]: a target t becomes (1 - epsilon) t + epsilon / n_classes */
    const void *class_weights; /* n_classes numbers of the logits' type, or NULL where all are 1 */
    int64_t ignores;           /* 1 where labels may be ignore_index, whatever number that is, and 0 elsewhere */
    int64_t ignore_index;      /* rows with this label have loss and gradient 0 and do not count in the mean */
    double softcap;            /* c > 0: a logit x becomes c tanh(x / c) before the softmax; infinity where it is off */
    double temperature;        /* every logit, after any softcap, is divided by it; 1 where it is off */
    double z_loss;             /* that times lse^2 is added to a row's loss, lse of what the softmax gets; or 0 */
    double poly_epsilon;       /* that times sum_j t_j (1 - p_j) is added to a row's loss; or 0 */
    const void *sample_weights; /* n_rows numbers of the logits' type, or NULL where all are 1: each row's loss, gradient
                                   and share of the mean's denominator is multiplied by its own */
    const void *upstream;      /* the same, with NONE: each row's gradient is multiplied by its own, the loss is not */
} softmax_ce_options;

extern const uint32_t softmax_ce_takes;
int softmax_ce_options_f32(const float *logits, const int64_t *labels, int64_t n_rows, int64_t n_classes,
                           const softmax_ce_options *options, float *loss, float *gradient);
int softmax_ce_options_f64(const double *logits, const int64_t *labels, int64_t n_rows, int64_t n_classes,
                           const softmax_ce_options *options, double *loss, double *gradient);

#ifdef __cplusplus
}
#endif

#endif
