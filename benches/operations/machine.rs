//! What the machine can do: how fast one thread copies memory and multiplies and adds.

use std::hint::black_box;

use chainrule_kernels::simd::{self, Kernel};
use criterion::{Criterion, Throughput};

/// Bytes that are copied: more than a second-level cache holds.
const BYTES: usize = 32 << 20;
/// Chains of fused multiply-adds that run side by side: as many as keep two units of 16 lanes busy.
const CHAINS: usize = 12 * 16;
/// The length of a chain.
const STEPS: usize = 10_000;

pub(crate) fn rates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("machine");
    let (from, mut to) = (vec![1u8; BYTES], vec![2u8; BYTES]);
    group.throughput(Throughput::Bytes(2 * BYTES as u64));
    group.bench_function("copy, bytes read and written", |b| b.iter(|| to.copy_from_slice(black_box(&from))));
    group.throughput(Throughput::Elements((2 * CHAINS * STEPS) as u64));
    group.bench_function("fused multiply-adds, floating-point operations", |b| {
        b.iter(|| simd::run(Chains { factor: black_box(0.5), term: black_box(0.25) }));
    });
}

struct Chains {
    factor: f32,
    term: f32,
}

impl Kernel for Chains {
    type Output = f32;
    #[inline(always)]
    fn run(self) -> f32 {
        let mut chains = [1.0f32; CHAINS];
        for _ in 0..STEPS {
            for chain in &mut chains {
                *chain = chain.mul_add(self.factor, self.term);
            }
        }
        chains.iter().sum()
    }
}
