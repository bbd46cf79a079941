//! The losses, one file (or folder) each, and the list of them.

use chainrule_tensor::table::Row;

/// Declares the losses' modules, re-exports them and collects their rows.
macro_rules! losses {
    ($($name:ident),+ $(,)?) => {
        $(mod $name; pub use $name::*;)+
        pub(crate) fn rows() -> Vec<&'static Row> {
            vec![$(&$name::ROW),+]
        }
    };
}

/// Gives a struct of options `new()`, the defaults, and `forward`, the function applied.
macro_rules! criterion {
    ($options:ident, $function:ident) => {
        impl $options {
            /// The loss with default options. Set others with struct update syntax:
            #[doc = concat!("`", stringify!($options), " { reduction: Reduction::Sum, ..Default::default() }`.")]
            pub fn new() -> Self {
                Self::default()
            }

            #[doc = concat!("The loss between an input and a target: [`", stringify!($function), "`] with these options.")]
            ///
            /// # Errors
            #[doc = concat!("As [`", stringify!($function), "`].")]
            #[track_caller]
            pub fn forward(
                &self,
                input: &chainrule_tensor::Tensor,
                target: &chainrule_tensor::Tensor,
            ) -> chainrule_tensor::Result<chainrule_tensor::Tensor> {
                $function(input, target, self)
            }
        }
    };
}

losses! {
    mse_loss,
    l1_loss,
    binary_cross_entropy,
    cross_entropy,
}
