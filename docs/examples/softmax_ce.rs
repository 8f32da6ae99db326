// Mean softmax cross-entropy and its gradient, as gradlab/adapters/softmax_ce.h has it. Build and check it:
//
//     rustc -O --crate-type cdylib -o libce_rs.so softmax_ce.rs
//     gradlab check c:./libce_rs.so:softmax_ce

use std::slice::{from_raw_parts, from_raw_parts_mut};

macro_rules! softmax_ce {
    ($name:ident, $real:ty) => {
        /// # Safety
        /// The pointers must be those of arrays of the sizes that the header states.
        #[no_mangle]
        pub unsafe extern "C" fn $name(
            logits: *const $real, labels: *const i64, n_rows: i64, n_classes: i64, loss: *mut $real, gradient: *mut $real,
        ) -> i32 {
            let (rows, classes) = (n_rows as usize, n_classes as usize);
            let (x, g) = (from_raw_parts(logits, rows * classes), from_raw_parts_mut(gradient, rows * classes));
            let mut total: $real = 0.0;
            for (i, &label) in from_raw_parts(labels, rows).iter().enumerate() {
                let (x, g) = (&x[i * classes..][..classes], &mut g[i * classes..][..classes]);
                let largest = x.iter().fold(x[0], |a, &b| if b > a { b } else { a });
                let mut sum: $real = 0.0;
                for (out, value) in g.iter_mut().zip(x) {
                    *out = (value - largest).exp();
                    sum += *out;
                }
                for (j, out) in g.iter_mut().enumerate() {
                    *out = (*out / sum - (j as i64 == label) as i32 as $real) / n_rows as $real;
                }
                total += sum.ln() - (x[label as usize] - largest);
            }
            *loss = total / n_rows as $real;
            0
        }
    };
}

softmax_ce!(softmax_ce_f32, f32);
softmax_ce!(softmax_ce_f64, f64);
