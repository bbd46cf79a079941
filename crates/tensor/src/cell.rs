//! [`TensorCell`]: the one thing that changes, a place that holds a tensor.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{RwLock, RwLockWriteGuard};

use chainrule_kernels::{Buffer, Number};

use crate::{DType, Element, Result, Shape, Tensor, bail, dispatch};

static COPIES: AtomicU64 = AtomicU64::new(0);

pub(crate) fn count_copy() {
    COPIES.fetch_add(1, Relaxed);
}

/// How many times an update had to copy the values first because somebody else (a graph that was not walked,
/// a kept tensor) still held them. In an ordinary training loop it stays at 0.
pub fn copies_on_write() -> u64 {
    COPIES.load(Relaxed)
}

/// A place that holds a tensor of fixed shape and dtype: the value of a parameter, a layer's running
/// statistics, an optimizer's state. Its value is replaced or updated in place; tensors taken out earlier keep
/// theirs.
#[derive(Debug)]
pub struct TensorCell {
    value: RwLock<Tensor>,
    shape: Shape,
    dtype: DType,
}

impl TensorCell {
    /// A cell with a first value, taken out of any graph.
    pub fn new(value: &Tensor) -> Self {
        let value = value.detach();
        TensorCell { shape: value.shape().clone(), dtype: value.dtype(), value: RwLock::new(value) }
    }

    /// The sizes of the dimensions.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The type of the numbers.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tensor> {
        self.value.write().unwrap_or_else(|e| e.into_inner())
    }

    /// The value now. (Within the closure of the cell's own [`update`](TensorCell::update) there is none: numbers that
    /// are NaN, and the update is an error.)
    #[track_caller]
    pub fn get(&self) -> Tensor {
        self.read(Tensor::clone)
    }

    /// Gives something made from the value.
    #[track_caller]
    pub(crate) fn read<R>(&self, f: impl FnOnce(&Tensor) -> R) -> R {
        if Update::was_asked_for(self) {
            return f(&self.no_value());
        }
        f(&self.value.read().unwrap_or_else(|e| e.into_inner()))
    }

    /// What stands for a value that cannot be had.
    fn no_value(&self) -> Tensor {
        let one = dispatch!(self.dtype, T => {
            Tensor::from_parts(Buffer::from_vec(vec![<T as Number>::from_f64(f64::NAN)]), Shape::from([]))
        });
        one.view_as(self.shape.clone(), Shape::from(vec![0; self.shape.len()]), 0)
    }

    /// Replaces the value.
    ///
    /// # Errors
    /// When shape or dtype is not that of the cell, or within the closure of its own [`update`](TensorCell::update);
    /// nothing changes then.
    #[track_caller]
    pub fn set(&self, value: &Tensor) -> Result<()> {
        if *value.shape() != self.shape {
            bail!(
                Shape,
                "set",
                "a value of shape {} does not fit a cell of shape {}",
                value.shape(),
                self.shape
            );
        }
        if value.dtype() != self.dtype {
            bail!(DType, "set", "a value of {} does not fit a cell of {}", value.dtype(), self.dtype);
        }
        self.refuse_within_update("set")?;
        let replaced = std::mem::replace(&mut *self.write(), value.detach());
        drop(replaced);
        Ok(())
    }

    /// Changes the values in place. Where somebody else holds the old ones, they are copied first (see
    /// [`copies_on_write`]).
    ///
    /// The closure gets the values as its argument, and cannot get at them in another way: where it asks the cell for
    /// them or wants to change it, that is an error, not of another thread, which waits.
    ///
    /// # Errors
    /// When `T` is not the cell's dtype, or within the closure of the cell's own update; nothing changes then. When
    /// the closure asked for the cell's value; the values are then what it made of them.
    #[track_caller]
    pub fn update<T: Element, R>(&self, change: impl FnOnce(&mut [T]) -> R) -> Result<R> {
        self.refuse_within_update("update")?;
        let mut value = self.write();
        let values = value.make_mut::<T>()?;
        let update = Update::begin(self);
        let result = change(values);
        match update.asked_for() {
            None => Ok(result),
            Some(at) => bail!(
                Value,
                "update",
                "the closure asked for the value of the cell that it changes, at {at}: it is the closure's argument"
            ),
        }
    }

    #[track_caller]
    fn refuse_within_update(&self, operation: &str) -> Result<()> {
        if Update::of(self).is_some() {
            bail!(Value, operation, "the closure that changes this cell cannot change it in another way");
        }
        Ok(())
    }
}

thread_local! {
    /// How many cells this thread is updating, each in the closure of the one before.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Where these are, and where their values were asked for meanwhile.
    static UPDATES: RefCell<Vec<(usize, Option<&'static Location<'static>>)>> = const { RefCell::new(Vec::new()) };
}

/// The update of a cell while its closure runs.
struct Update;

impl Update {
    fn begin(cell: &TensorCell) -> Update {
        UPDATES.with_borrow_mut(|updates| updates.push((address(cell), None)));
        DEPTH.set(DEPTH.get() + 1);
        Update
    }

    /// The place of a cell's update by this thread among all, if there is one.
    #[inline]
    fn of(cell: &TensorCell) -> Option<usize> {
        if DEPTH.get() == 0 {
            return None;
        }
        UPDATES.with_borrow(|updates| updates.iter().position(|&(other, _)| other == address(cell)))
    }

    /// Whether this thread is updating the cell; notes that the caller asked for its value.
    #[track_caller]
    #[inline]
    fn was_asked_for(cell: &TensorCell) -> bool {
        let Some(place) = Update::of(cell) else { return false };
        let caller = Location::caller();
        UPDATES.with_borrow_mut(|updates| _ = updates[place].1.get_or_insert(caller));
        true
    }

    /// Where the value was asked for, if it was.
    fn asked_for(self) -> Option<&'static Location<'static>> {
        UPDATES.with_borrow(|updates| updates.last().and_then(|&(_, at)| at))
    }
}

/// Also where the closure panics.
impl Drop for Update {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        UPDATES.with_borrow_mut(Vec::pop);
    }
}

fn address(cell: &TensorCell) -> usize {
    std::ptr::from_ref(cell) as usize
}
