//! [`Literal`]: numbers written out, in arrays, vectors and slices.

use crate::{Element, Shape};

/// What [`Tensor::new`](crate::Tensor::new) takes: a number, or an array, `Vec` or slice of literals of one shape.
pub trait Literal {
    /// The element type of the tensor.
    #[doc(hidden)]
    type Element: Element;
    #[doc(hidden)]
    const RANK: usize;
    /// The shape, or what is wrong with the numbers.
    #[doc(hidden)]
    fn shape(&self) -> Result<Shape, String>;
    #[doc(hidden)]
    fn write(self, values: &mut Vec<Self::Element>);
}

macro_rules! numbers {
    ($($t:ty => $element:ty),+ $(,)?) => {
        $(impl Literal for $t {
            type Element = $element;
            const RANK: usize = 0;
            fn shape(&self) -> Result<Shape, String> {
                Ok(Shape::from([]))
            }
            fn write(self, values: &mut Vec<$element>) {
                values.push(self as $element);
            }
        })+
    };
}
numbers!(f64 => f32, f32 => f32, bool => bool);
numbers!(i64 => i64, i32 => i64, i16 => i64, i8 => i64, u32 => i64, u16 => i64, u8 => i64);

impl Literal for usize {
    type Element = i64;
    const RANK: usize = 0;
    fn shape(&self) -> Result<Shape, String> {
        match i64::try_from(*self) {
            Ok(_) => Ok(Shape::from([])),
            Err(_) => Err(format!("{self} is beyond int64")),
        }
    }
    fn write(self, values: &mut Vec<i64>) {
        values.push(self as i64);
    }
}

/// The shape of a list of literals, which must be of one shape.
fn of_list<L: Literal>(list: &[L]) -> Result<Shape, String> {
    let Some((first, rest)) = list.split_first() else {
        return Ok(std::iter::repeat_n(0, L::RANK + 1).collect());
    };
    let inner = first.shape()?;
    for (i, other) in rest.iter().enumerate() {
        let shape = other.shape()?;
        if shape != inner {
            return Err(format!("entry {} of a list is of shape {shape}, entry 0 of shape {inner}", i + 1));
        }
    }
    Ok([list.len()].into_iter().chain(inner.iter().copied()).collect())
}

macro_rules! lists {
    ($([$($generics:tt)+] $list:ty: $item:ty),+ $(,)?) => {
        $(impl<$($generics)+> Literal for $list {
            type Element = <$item>::Element;
            const RANK: usize = <$item>::RANK + 1;
            fn shape(&self) -> Result<Shape, String> {
                of_list(&self[..])
            }
            fn write(self, values: &mut Vec<Self::Element>) {
                self.into_iter().for_each(|item| item.clone().write(values));
            }
        })+
    };
}
lists!(
    [L: Literal + Clone] &[L]: L,
    [L: Literal + Clone] &Vec<L>: L,
    [L: Literal + Clone, const N: usize] &[L; N]: L,
);

impl<L: Literal, const N: usize> Literal for [L; N] {
    type Element = L::Element;
    const RANK: usize = L::RANK + 1;
    fn shape(&self) -> Result<Shape, String> {
        of_list(self)
    }
    fn write(self, values: &mut Vec<L::Element>) {
        self.into_iter().for_each(|item| item.write(values));
    }
}

impl<L: Literal> Literal for Vec<L> {
    type Element = L::Element;
    const RANK: usize = L::RANK + 1;
    fn shape(&self) -> Result<Shape, String> {
        of_list(self)
    }
    fn write(self, values: &mut Vec<L::Element>) {
        self.into_iter().for_each(|item| item.write(values));
    }
}

#[cfg(test)]
mod tests {
    use crate::{ErrorKind, Tensor};

    #[test]
    fn lists_of_every_kind_are_taken() {
        let rows = vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]];
        let wanted = Tensor::new([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).to_vec::<f32>().unwrap();
        for x in [Tensor::new(&rows), Tensor::new(&rows[..]), Tensor::new(rows.clone())] {
            assert_eq!(x.shape(), &[2, 3]);
            assert_eq!(x.to_vec::<f32>().unwrap(), wanted);
        }
        assert_eq!(Tensor::new(vec![3u8, 255]).to_vec::<i64>().unwrap(), [3, 255]);
        assert_eq!(Tensor::new(vec![7usize]).to_vec::<i64>().unwrap(), [7]);
        assert_eq!(Tensor::new([[true], [false]]).shape(), &[2, 1]);
        assert_eq!(Tensor::new([[[0.0; 3]; 0]; 2]).shape(), &[2, 0, 0]);
        assert_eq!(Tensor::new(Vec::<Vec<f32>>::new()).shape(), &[0, 0]);
    }

    #[test]
    fn ragged_lists_are_refused() {
        let cases = [
            Tensor::try_new([vec![1.0, 2.0], vec![3.0], vec![4.0, 5.0, 6.0]]),
            Tensor::try_new(vec![vec![1.0], vec![]]),
            Tensor::try_new(vec![vec![vec![1.0], vec![2.0]], vec![vec![1.0]]]),
            Tensor::try_new([vec![1.0, 2.0], vec![3.0, 4.0], vec![5.0]]),
        ];
        for case in cases {
            assert_eq!(case.unwrap_err().kind(), ErrorKind::Shape);
        }
        let ragged = || Tensor::new([vec![1, 2], vec![3]]);
        assert!(std::panic::catch_unwind(ragged).is_err());
        let error = Tensor::try_new([[usize::MAX]]).unwrap_err().to_string();
        assert!(error.contains("18446744073709551615 is beyond int64"), "{error}");
    }
}
