use super::*;

/// Each method of a register against its definition.
struct Check;

impl<T: Registers> Kernel<T> for Check {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        check::<T, V>();
    }
}

fn check<T: Registers, V: Register<T>>() {
    let len = V::LEN;
    let numbers = |from: usize, len: usize| (from..from + len).map(|i| T::of(i as f64)).collect::<Vec<T>>();
    // One number more, so that not all addresses are multiples of the register.
    let (a, b, c) = (numbers(1, len + 1), numbers(20, len + 1), numbers(40, len + 1));
    let mut out = vec![T::ZERO; len];
    // SAFETY: all of the memory is as long as a register, and whoever calls names one that the processor has.
    unsafe {
        V::splat(T::of(7.0)).store(out.as_mut_ptr());
        assert!(out == vec![T::of(7.0); len], "splat");
        V::load(a[1..].as_ptr()).store(out.as_mut_ptr());
        assert!(out == a[1..], "load and store");
        let [x, y, z] = [&a, &b, &c].map(|x| V::load(x[1..].as_ptr()));
        x.mul_add(y, z).store(out.as_mut_ptr());
        let want: Vec<T> = (1..=len).map(|i| a[i] * b[i] + c[i]).collect();
        assert!(out == want, "mul_add: {out:?}, {want:?}");
        let want = (2..len + 2).map(|i| i as f64).sum();
        assert!(x.sum() == T::of(want), "sum: {:?}, {want}", x.sum());

        let (step, stride) = (len + 3, len + 5);
        let rows = numbers(1, len * step);
        let mut columns = vec![T::ZERO; len * stride];
        V::transpose(|i| rows[i * step + 1..].as_ptr(), columns.as_mut_ptr(), stride);
        for (at, x) in columns.iter().enumerate() {
            let (j, i) = (at / stride, at % stride);
            let want = if i < len { rows[i * step + 1 + j] } else { T::ZERO };
            assert!(*x == want, "transpose: {x:?} in row {j}, column {i}, not {want:?}");
        }
    }
}

#[test]
fn methods_are_what_they_say() {
    run::<f32>(Check);
    run::<f64>(Check);
    check::<f32, Portable<f32>>();
    check::<f64, Portable<f64>>();
}

/// Writes a · b + c, for one number of each.
struct MulAdd<'a, T>([T; 3], &'a mut [T; 16]);

impl<T: Registers> Kernel<T> for MulAdd<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        // SAFETY: no register is longer than 16 numbers, and the processor has it (the caller's promise).
        unsafe {
            let [a, b, c] = self.0.map(|x| V::splat(x));
            a.mul_add(b, c).store(self.1.as_mut_ptr());
        }
    }
}

/// What tells the register that is portable from the others.
#[test]
fn multiplications_and_additions_are_fused_where_the_level_has_the_instruction() {
    fn check<T: Registers>(ulp: f64) {
        let mut out = [T::ZERO; 16];
        // (1 + ulp)² is 1 + 2 ulp + ulp², of which rounding takes the last.
        let (x, rounded) = (T::of(1.0 + ulp), T::of(-1.0 - 2.0 * ulp));
        run::<T>(MulAdd([x, x, rounded], &mut out));
        let want = if level() == Level::Baseline { 0.0 } else { ulp * ulp };
        assert!(out[0] == T::of(want), "{:?} at {:?}, not {want}", out[0], level());
    }
    check::<f32>(f64::from(f32::EPSILON));
    check::<f64>(f64::EPSILON);
}
