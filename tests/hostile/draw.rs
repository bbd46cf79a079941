//! [`Draw`]: arguments made from a list of choices.

use chainrule::{DType, Tensor};

/// Draws arguments. Each takes one choice, a number below 65,536, and every list of possible arguments begins with the
/// tamest: so a case shrinks to tame arguments as its choices shrink to 0, which is also what is drawn where there are
/// no more.
pub(crate) struct Draw<'a> {
    choices: std::slice::Iter<'a, u16>,
    /// What was drawn, to be shown with a finding.
    pub(crate) drawn: Vec<String>,
}

/// Sizes and counts that no memory has room for, or that overflow in some product or sum.
const HUGE: [usize; 14] = [
    1 << 31,
    1 << 32,
    (1 << 32) + 1,
    1 << 33,
    1 << 40,
    1 << 42,
    1 << 61,
    1 << 62,
    (1 << 63) - 1,
    1 << 63,
    usize::MAX / 3,
    usize::MAX / 2,
    usize::MAX - 1,
    usize::MAX,
];

/// Numbers of every kind.
const NUMBERS: [f64; 32] = [
    0.5,
    1.0,
    0.0,
    2.0,
    -1.0,
    3.0,
    0.1,
    0.9,
    -0.5,
    1e-8,
    100.0,
    -0.0,
    1e-45,
    1e-300,
    5e-324,
    1e10,
    -1e10,
    1e19,
    -1e19,
    1e20,
    3e38,
    -3e38,
    1e39,
    1e300,
    9.3e18,
    1.8e19,
    f64::MAX,
    f64::MIN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    f64::EPSILON,
];

impl<'a> Draw<'a> {
    pub(crate) fn new(choices: &'a [u16]) -> Self {
        Draw { choices: choices.iter(), drawn: Vec::new() }
    }

    /// A number below `n`, small ones for small choices.
    fn below(&mut self, n: usize) -> usize {
        let choice = self.choices.next().copied().unwrap_or(0);
        usize::from(choice) * n / (1 << 16)
    }

    fn note(&mut self, what: impl std::fmt::Debug) {
        self.drawn.push(format!("{what:?}"));
    }

    /// One of a list, whose first is the tamest.
    pub(crate) fn pick<T: Clone + std::fmt::Debug>(&mut self, list: &[T]) -> T {
        let picked = list[self.below(list.len())].clone();
        self.note(&picked);
        picked
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.pick(&[false, true])
    }

    /// An argument that may be left out.
    pub(crate) fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| draw(self))
    }

    /// A size or a count: of each three, two are small.
    pub(crate) fn size(&mut self) -> usize {
        let tame = [1, 2, 3, 4, 0, 5, 6, 7, 8, 17];
        let list = [&tame, &tame, &tame, &HUGE[..]].concat();
        self.pick(&list)
    }

    /// As [`size`](Draw::size), for what may be anything up to a hundred without harm.
    pub(crate) fn small(&mut self) -> usize {
        self.pick(&[1, 2, 3, 4, 0, 5, 7, 8, 17])
    }

    pub(crate) fn pair(&mut self) -> [usize; 2] {
        [self.size(), self.size()]
    }

    pub(crate) fn sizes(&mut self) -> Vec<usize> {
        (0..self.small().min(6)).map(|_| self.size()).collect()
    }

    /// A count of steps or epochs.
    pub(crate) fn count(&mut self) -> u64 {
        self.size() as u64
    }

    /// A dimension, an index, or any signed number.
    pub(crate) fn index(&mut self) -> isize {
        let tame = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 17];
        let wild = [
            1 << 31,
            -(1 << 31),
            1 << 32,
            (1 << 32) + 1,
            1 << 40,
            -(1 << 40),
            1 << 62,
            isize::MAX - 1,
            isize::MAX,
            isize::MIN + 1,
            isize::MIN,
        ];
        let list = [&tame[..], &tame, &wild].concat();
        self.pick(&list)
    }

    pub(crate) fn indices(&mut self) -> Vec<isize> {
        (0..self.small().min(6)).map(|_| self.index()).collect()
    }

    pub(crate) fn number(&mut self) -> f64 {
        self.pick(&NUMBERS)
    }

    pub(crate) fn numbers(&mut self) -> Vec<f64> {
        (0..self.small().min(6)).map(|_| self.number()).collect()
    }

    pub(crate) fn dtype(&mut self) -> DType {
        self.pick(&[DType::F32, DType::F64, DType::I64, DType::Bool])
    }

    pub(crate) fn float_dtype(&mut self) -> DType {
        self.pick(&[DType::F32, DType::F64])
    }

    /// A shape of few elements: up to five dimensions, empty and of size 1 among them.
    pub(crate) fn shape(&mut self) -> Vec<usize> {
        let rank = self.pick(&[2, 1, 3, 4, 0, 5]);
        let mut shape: Vec<usize> =
            (0..rank).map(|_| self.pick(&[2, 3, 1, 2, 3, 1, 4, 5, 0, 7, 8, 17])).collect();
        while shape.iter().product::<usize>() > 4096 {
            shape.pop();
        }
        shape
    }

    /// A tensor of any shape, dtype, contents and layout.
    pub(crate) fn tensor(&mut self) -> Tensor {
        let shape = self.shape();
        self.tensor_of(&shape)
    }

    /// A tensor of a shape, mostly of floats, mostly tame.
    pub(crate) fn tensor_of(&mut self, shape: &[usize]) -> Tensor {
        let dtype =
            self.pick(&[DType::F32, DType::F64, DType::F32, DType::F32, DType::F64, DType::I64, DType::Bool]);
        self.tensor_like(shape, dtype)
    }

    /// A tensor of floats of a shape.
    pub(crate) fn floats(&mut self, shape: &[usize]) -> Tensor {
        let dtype = self.float_dtype();
        self.tensor_like(shape, dtype)
    }

    /// A tensor of a shape and dtype, with contents of every kind and in any layout, tracked or not.
    pub(crate) fn tensor_like(&mut self, shape: &[usize], dtype: DType) -> Tensor {
        let contents = self.pick(&["ordinary", "ordinary", "ones", "zeros", "wild", "one wild", "mixed"]);
        let wild = self.number();
        let numel = shape.iter().product::<usize>();
        let value = |i: usize| match contents {
            "ones" => 1.0,
            "zeros" => 0.0,
            "wild" => wild,
            "one wild" if i % 7 == 1 => wild,
            "mixed" => NUMBERS[i * 5 % NUMBERS.len()],
            _ => (i as f64 * 1.7 + 0.3).sin() * 2.0,
        };
        let contiguous = match dtype {
            // Numbers that are written in their own dtype: the ends of 64-bit integers are no f64.
            DType::I64 => {
                let ends = [i64::MAX, i64::MIN, i64::MIN + 1, -1, 0, 1, 2];
                let integer = |i: usize| match contents {
                    "mixed" => ends[i % ends.len()],
                    "one wild" if i % 7 == 1 => ends[i % 3],
                    "wild" => ends[wild.abs() as usize % ends.len()],
                    "ones" => 1,
                    "zeros" => 0,
                    _ => (i % 3) as i64,
                };
                Tensor::from_vec((0..numel).map(integer).collect::<Vec<i64>>(), shape)
            }
            DType::Bool => Tensor::from_vec((0..numel).map(|i| value(i) > 0.3).collect::<Vec<bool>>(), shape),
            DType::F32 => Tensor::from_vec((0..numel).map(|i| value(i) as f32).collect::<Vec<f32>>(), shape),
            _ => Tensor::from_vec((0..numel).map(value).collect::<Vec<f64>>(), shape),
        };
        let tensor = contiguous.expect("as many numbers as the shape has");
        self.laid_out(tensor)
    }

    /// The same shape in another layout, tracked or not.
    fn laid_out(&mut self, tensor: Tensor) -> Tensor {
        let rank = tensor.rank() as isize;
        let layout = self.pick(&["contiguous", "contiguous", "transposed", "strided", "expanded", "offset"]);
        let other = || match layout {
            "transposed" => {
                let reversed: Vec<isize> = (0..rank).rev().collect();
                tensor.permute(&reversed)?.contiguous()?.permute(&reversed)
            }
            "strided" => Tensor::stack(&[&tensor, &tensor], rank)?.select(rank, 1),
            "expanded" if rank > 0 => tensor.narrow(0, 0, 1)?.expand(tensor.shape()),
            "offset" => Tensor::stack(&[&tensor, &tensor], 0)?.select(0, 1),
            _ => Ok(tensor.clone()),
        };
        // An empty dimension has no first element to expand.
        let tensor = other().unwrap_or_else(|_| tensor.clone());
        let tracked = self.flag() && tensor.dtype().is_float();
        self.note((tensor.dtype(), tensor.shape(), tracked));
        if tracked { tensor.requires_grad_(true).expect("a float leaf") } else { tensor }
    }

    /// A view of far more elements than memory has room for, which itself takes none.
    pub(crate) fn huge_view(&mut self) -> Tensor {
        let sizes: Vec<usize> =
            self.pick(&[vec![1 << 42], vec![2, 1 << 40], vec![1 << 20, 1 << 20], vec![1 << 40, 3, 1]]);
        let dtype = self.dtype();
        let one = Tensor::full([1], 1.0, dtype).and_then(|one| one.expand(&sizes[..]));
        one.expect("a view takes no memory")
    }

    /// Indices, mostly within `bound`.
    pub(crate) fn index_tensor(&mut self, shape: &[usize], bound: usize) -> Tensor {
        let kind = self.pick(&["within", "within", "within", "beyond", "negative", "ends", "floats"]);
        let numel = shape.iter().product::<usize>();
        let bound = bound.clamp(1, 1 << 30) as i64;
        let index = |i: usize| match kind {
            "beyond" if i == 0 => bound,
            "negative" if i == 0 => -1,
            "ends" if i == 0 => i64::MIN,
            "ends" if i == 1 => i64::MAX,
            _ => (i as i64 * 7) % bound,
        };
        let indices = Tensor::from_vec((0..numel).map(index).collect::<Vec<i64>>(), shape)
            .expect("as many numbers as the shape has");
        let indices = if kind == "floats" { indices.to_dtype(DType::F32).expect("a cast") } else { indices };
        self.laid_out(indices)
    }
}
