//! What a traversal applies to elements.
//!
//! A closure will do where its body is small. The compiler decides whether it becomes part of the loop, though, and
//! one that does not is compiled without the instruction set of the loop: with an exponential in it that is a hundred
//! times slower. A closure cannot be marked `#[inline(always)]`; the method of a type of one's own can.

/// A function of one element. Implementations must be `#[inline(always)]`.
pub trait Function1<A, R> {
    /// Its value at `a`.
    fn at(&self, a: A) -> R;
}

/// A function of two elements. Implementations must be `#[inline(always)]`.
pub trait Function2<A, B, R> {
    /// Its value at `a` and `b`.
    fn at(&self, a: A, b: B) -> R;
}

impl<A, R, F: Fn(A) -> R> Function1<A, R> for F {
    #[inline(always)]
    fn at(&self, a: A) -> R {
        self(a)
    }
}

impl<A, B, R, F: Fn(A, B) -> R> Function2<A, B, R> for F {
    #[inline(always)]
    fn at(&self, a: A, b: B) -> R {
        self(a, b)
    }
}
