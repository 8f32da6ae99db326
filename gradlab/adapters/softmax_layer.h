/* What `gradlab check layer:c:./liblayer.so:softmax_layer` calls: NAME_f32, NAME_f64, or both; here for the NAME
   softmax_layer.

   features: n_rows rows of n_features numbers. weight: n_features rows of n_classes numbers. bias: n_classes numbers, or
   NULL where it is claimed to take none. labels: n_rows numbers, each at least 0 and less than n_classes.
   l2: the strength of the penalty; 0 unless it is claimed that there is one.
   loss: one number to be written, the mean over the rows of log(sum_j exp z_j) - z_label, z = features weight + bias.
   d_features, d_weight, d_bias: to be written, the derivative of that mean by each number, in the same order as these;
   d_bias is NULL where the bias is.

   Returns 0, and anything else if the call is refused. n_features and n_classes are at least 1, n_rows may be 0. What is
   given is not to be written to, and nothing beyond the arrays is to be read or written. */

#ifndef GRADLAB_SOFTMAX_LAYER_H
#define GRADLAB_SOFTMAX_LAYER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

int softmax_layer_f32(const float *features, const float *weight, const float *bias, const int64_t *labels,
                      int64_t n_rows, int64_t n_features, int64_t n_classes, double l2,
                      float *loss, float *d_features, float *d_weight, float *d_bias);
int softmax_layer_f64(const double *features, const double *weight, const double *bias, const int64_t *labels,
                      int64_t n_rows, int64_t n_features, int64_t n_classes, double l2,
                      double *loss, double *d_features, double *d_weight, double *d_bias);

#ifdef __cplusplus
}
#endif

#endif
