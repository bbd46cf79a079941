//! What a product is added to.

use crate::Number;

/// What a product is added to. A number β becomes β·C, or nothing where it is zero.
#[derive(Clone, Copy, Debug)]
pub enum Onto<'a, T> {
    /// Nothing: what C held is never read.
    Nothing,
    /// C times a factor.
    C(T),
    /// One row, added to each row of the product: what C held is never read.
    Row(&'a [T]),
}

impl<T: Number> From<T> for Onto<'_, T> {
    fn from(beta: T) -> Self {
        if beta == T::ZERO { Onto::Nothing } else { Onto::C(beta) }
    }
}

impl<T: Number> Onto<'_, T> {
    /// The same, for C from a column on.
    pub(super) fn at_column(self, column: usize) -> Self {
        match self {
            Onto::Row(row) => Onto::Row(&row[column..]),
            other => other,
        }
    }

    /// Makes a row of C what the product is to be added to.
    pub(super) fn prepare(self, c: &mut [T]) {
        match self {
            Onto::Nothing => c.fill(T::ZERO),
            Onto::C(beta) if beta == T::ONE => {}
            Onto::C(beta) => c.iter_mut().for_each(|c| *c = c.mul(beta)),
            Onto::Row(row) => c.copy_from_slice(&row[..c.len()]),
        }
    }
}
