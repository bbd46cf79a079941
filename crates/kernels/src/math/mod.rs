//! Functions of a number that the standard library lacks, as bodies that inline into vectorised loops.

mod erf;

pub(crate) use erf::erf;
