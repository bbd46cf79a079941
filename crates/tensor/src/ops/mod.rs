//! The operations, one file each, and the list of them.

/// Declares the operations' modules and collects their rows.
macro_rules! operations {
    ($($group:ident: $($name:ident),+;)+) => {
        $(mod $group { $(mod $name;)+ pub(super) const ROWS: &[&crate::table::Row] = &[$(&$name::ROW),+]; })+
        pub(crate) static ROWS: std::sync::LazyLock<Vec<&'static crate::table::Row>> =
            std::sync::LazyLock::new(|| [$($group::ROWS),+].concat());
    };
}

operations! {
    unary: exp, log, relu, neg;
    binary: add, sub, mul, div;
    compare: gt;
    reduce: sum, mean;
    shape: contiguous, reshape, permute, expand;
    linalg: matmul;
    cast: to_dtype;
}
