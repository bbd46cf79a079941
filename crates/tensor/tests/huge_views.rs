//! Views that take no memory and are larger than it: lists of their parts, copies and printing.

use chainrule_tensor::{ErrorKind, Result, Tensor};

/// A vector of 2^42 times the same number.
fn wide() -> Result<Tensor> {
    Tensor::new([1.5]).expand([1usize << 42])
}

#[track_caller]
fn refused<T>(what: &str, result: Result<T>) {
    let error = result.err().unwrap_or_else(|| panic!("{what} was done"));
    assert_eq!(error.kind(), ErrorKind::Memory, "{what}: {error}");
    assert_eq!(error.location().unwrap().file(), file!(), "{what}: {error}");
}

#[test]
fn lists_and_copies_are_refused() -> Result<()> {
    let x = wide()?;
    refused("split", x.split(1, 0));
    refused("split in tens of millions", x.split(1 << 8, 0));
    refused("unbind", x.unbind(0));
    refused("chunk", x.chunk(usize::MAX, 0));
    refused("chunk of nothing", Tensor::zeros([0])?.chunk(1 << 50, 0));
    refused("flip", x.flip(0));
    refused("roll", x.roll(1, 0));
    refused("roll of all", x.unsqueeze(0)?.roll(1, []));
    refused("repeat without end", x.repeat([usize::MAX]));
    refused("cat", Tensor::cat(&[&x, &x], 0));
    refused("stack", Tensor::stack(&[&x, &x], 0));
    refused("tril", x.unsqueeze(0)?.tril(isize::MAX));
    refused("triu", x.unsqueeze(0)?.triu(isize::MIN));
    refused("one_hot", Tensor::new([0]).one_hot(usize::MAX));
    refused("to_vec", x.to_vec::<f32>());
    refused("into_vec", x.clone().into_vec::<f32>());
    refused("cumsum", x.cumsum(0));
    refused("softmax", x.softmax(0));
    refused("matmul", x.unsqueeze(1)?.matmul(&x.unsqueeze(0)?));
    refused("linear", Tensor::zeros([1, 1])?.linear(&x.unsqueeze(1)?, None));
    refused("gather", Tensor::new([1.0]).gather(0, &Tensor::new([0]).expand([1usize << 42])?));
    refused("where_", Tensor::where_(&Tensor::new(true), &x, &x));
    // A few parts take no memory to speak of.
    assert_eq!(x.split(1 << 40, 0)?.len(), 4);
    let square = Tensor::new([1.5]).expand([1usize << 21, 1 << 21])?;
    assert_eq!(*square.diagonal(0, 0, 1)?.shape(), [1 << 21]);
    Ok(())
}

#[test]
fn ends_of_index_types() -> Result<()> {
    let x = Tensor::new([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    for end in [isize::MIN, isize::MAX] {
        assert!(x.select(0, end).is_err() && x.select(end, 0).is_err());
        assert!(x.narrow(0, end, 1).is_err() && x.narrow(end, 0, 1).is_err());
        assert!(x.narrow(0, 0, usize::MAX).is_err());
        assert!(x.flip(end).is_err() && x.movedim(end, 0).is_err() && x.transpose(0, end).is_err());
        assert!(x.unsqueeze(end).is_err() && x.squeeze_dim(end).is_err() && x.flatten(0, end).is_err());
        assert_eq!(x.slice(1, end..end)?.numel(), 0);
        assert_eq!(x.diagonal(end, 0, 1)?.numel(), 0);
        // Both -2^63 and 2^63 - 1 are 1 modulo 3.
        assert_eq!(x.roll(end, 1)?.to_vec::<f32>()?, [3.0, 1.0, 2.0, 6.0, 4.0, 5.0]);
    }
    assert_eq!(x.slice(1, isize::MIN..=isize::MAX)?.numel(), 6);
    assert_eq!(x.tril(isize::MAX)?.to_vec::<f32>()?, x.to_vec::<f32>()?);
    assert_eq!(x.tril(isize::MIN)?.to_vec::<f32>()?, [0.0; 6]);
    assert_eq!(x.triu(isize::MIN)?.to_vec::<f32>()?, x.to_vec::<f32>()?);
    assert_eq!(x.triu(isize::MAX)?.to_vec::<f32>()?, [0.0; 6]);
    Ok(())
}

#[test]
fn printing_looks_at_what_is_shown() -> Result<()> {
    assert_eq!(wide()?.to_string(), "tensor([1.5000, 1.5000, 1.5000,  ..., 1.5000, 1.5000, 1.5000])");
    let x = Tensor::new([[1, 2, 3], [4, 5, 6]]).t()?;
    assert_eq!(x.to_string(), "tensor([[1, 4],\n        [2, 5],\n        [3, 6]])");
    let flags = Tensor::new([true, false]).unsqueeze(0)?.expand([1usize << 40, 2])?.slice(0, 1..)?;
    assert_eq!(
        flags.to_string(),
        "tensor([[ True, False],\n        [ True, False],\n        [ True, False],\n        ...,\n        \
         [ True, False],\n        [ True, False],\n        [ True, False]])"
    );
    // A summary keeps six places of each of 59 dimensions, of which each has two.
    let many = Tensor::new(1.0).expand(vec![2usize; 59])?;
    assert_eq!(many.to_string(), format!("tensor(...,\n       size=({}))", vec!["2"; 59].join(", ")));
    Ok(())
}
