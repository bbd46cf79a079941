//! [`Update`]: one parameter, as its algorithm sees it.

use chainrule_kernels::update;
use chainrule_tensor::{FloatElement, Shape};

use crate::slot::Stored;

/// A parameter that is about to be updated: its values, its gradient and its state.
pub struct Update<'a, T: FloatElement> {
    /// The values, in row-major order.
    pub value: &'a mut [T],
    /// The gradient, as many numbers as values.
    pub grad: &'a [T],
    pub(crate) state: &'a mut [Stored<T>],
    /// The shape of the parameter.
    pub shape: &'a Shape,
    /// How often this parameter has been updated, this update included: 1 at the first.
    pub step: u64,
    /// Whether a state tensor was made for this update and still has its initial values.
    pub fresh: bool,
    /// Memory for intermediate results, with arbitrary contents: as much as
    /// [`scratch`](super::Algorithm::scratch) asked for.
    pub scratch: Memory<'a, T>,
}

/// How much memory for intermediate results an update needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scratch {
    /// Numbers in the dtype of the parameter.
    pub values: usize,
    /// Sums, in `f64`.
    pub sums: usize,
}

/// The memory that an update asked for.
pub struct Memory<'a, T> {
    /// Numbers in the dtype of the parameter.
    pub values: &'a mut [T],
    /// Sums, in `f64`.
    pub sums: &'a mut [f64],
}

impl<T> Default for Memory<'_, T> {
    fn default() -> Self {
        Memory { values: &mut [], sums: &mut [] }
    }
}

impl<'a, T: FloatElement> Update<'a, T> {
    /// One pass over the parameter: `[value, state₀, …] = f([value, state₀, …], gradient)` for each
    /// element, vectorised and shared among threads. `f` must not depend on anything but its arguments, and should
    /// own its options (`move`), or it may not be vectorised.
    ///
    /// # Panics
    /// When K is not one more than the number of state tensors that the algorithm declares, or a state tensor
    /// has not the shape of the parameter.
    pub fn each<const K: usize>(self, f: impl Fn([T; K], T) -> [T; K] + Sync + Copy) {
        // What a pass costs is mostly to bring its slices from memory.
        let ns = 0.3 * K as f64;
        let (value, grad, mut state) = (self.value, self.grad, self.state.iter_mut());
        assert_eq!(state.len() + 1, K, "the algorithm declares another number of state tensors");
        let mut value = Some(value);
        let slices = std::array::from_fn(|_| match value.take() {
            Some(value) => value,
            None => state.next().map_or(&mut [][..], |s| &mut s.values),
        });
        update::in_place(slices, grad, ns, f);
    }

    /// Takes the last of the state tensors, a single number, out of those that [`each`](Update::each) and
    /// [`states`](Update::states) hand out.
    ///
    /// # Panics
    /// When there is none, or it is not a single number.
    pub fn scalar(&mut self) -> &'a mut T {
        let (last, others) = std::mem::take(&mut self.state).split_last_mut().expect("a state tensor");
        self.state = others;
        assert_eq!(last.values.len(), 1, "{} is not a scalar", last.name);
        &mut last.values[0]
    }

    /// The state tensors, in the order in which the algorithm declares them, for updates that are not element by
    /// element.
    pub fn states(&mut self) -> impl Iterator<Item = &mut [T]> {
        self.state.iter_mut().map(|s| &mut s.values[..])
    }
}
