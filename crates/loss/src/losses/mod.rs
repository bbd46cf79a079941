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

/// Gives a struct of options `new()`, the defaults, and `forward`, the function applied to its tensors: an input
/// and a target where nothing else is said.
macro_rules! criterion {
    ($options:ident, $function:ident) => {
        criterion!($options, $function, (input, target));
    };
    ($options:ident, $function:ident, ($($tensor:ident),+)) => {
        impl $options {
            /// The loss with default options. Set others with struct update syntax:
            #[doc = concat!("`", stringify!($options), " { reduction: Reduction::Sum, ..Default::default() }`.")]
            pub fn new() -> Self {
                Self::default()
            }

            #[doc = concat!("The loss: [`", stringify!($function), "`] with these options.")]
            ///
            /// # Errors
            #[doc = concat!("As [`", stringify!($function), "`].")]
            #[track_caller]
            pub fn forward(
                &self,
                $($tensor: &chainrule_tensor::Tensor),+
            ) -> chainrule_tensor::Result<chainrule_tensor::Tensor> {
                $function($($tensor),+, self)
            }
        }
    };
}

losses! {
    mse_loss,
    l1_loss,
    smooth_l1_loss,
    huber_loss,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    kl_div,
    cross_entropy,
    nll_loss,
    gaussian_nll_loss,
    poisson_nll_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    soft_margin_loss,
    cosine_embedding_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
    hinge_loss,
    binary_focal_loss,
    focal_loss,
    dice_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    ctc_loss,
}
