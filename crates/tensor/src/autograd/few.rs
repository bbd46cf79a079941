//! [`Few`]: a list that is mostly short.

use std::ops::{Deref, DerefMut};

/// A list that keeps up to two items in itself, without memory of its own.
#[derive(Debug)]
pub enum Few<T> {
    /// No item.
    None,
    /// One item.
    One([T; 1]),
    /// Two items.
    Two([T; 2]),
    /// More, in memory of their own.
    Many(Box<[T]>),
}

impl<T> FromIterator<T> for Few<T> {
    #[inline]
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut items = items.into_iter();
        let Some(a) = items.next() else { return Few::None };
        let Some(b) = items.next() else { return Few::One([a]) };
        match items.next() {
            None => Few::Two([a, b]),
            Some(c) => Few::Many([a, b, c].into_iter().chain(items).collect()),
        }
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(items: Vec<T>) -> Self {
        if items.len() > 2 { Few::Many(items.into()) } else { items.into_iter().collect() }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Few::None => &[],
            Few::One(items) => items,
            Few::Two(items) => items,
            Few::Many(items) => items,
        }
    }
}

impl<T> DerefMut for Few<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Few::None => &mut [],
            Few::One(items) => items,
            Few::Two(items) => items,
            Few::Many(items) => items,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_any_length_keep_their_order() {
        for len in 0..9 {
            let want: Vec<usize> = (0..len).collect();
            let mut few: Few<usize> = want.iter().copied().collect();
            assert_eq!(*few, *want);
            assert_eq!(*Few::from(want.clone()), *want);
            few.iter_mut().for_each(|x| *x += 1);
            assert_eq!(few.iter().sum::<usize>(), want.iter().sum::<usize>() + len);
        }
    }
}
