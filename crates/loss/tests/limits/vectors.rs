//! Losses of vectors and of sequences.

use chainrule_tensor::autograd::gradcheck;

use super::*;

#[test]
fn angles_between_long_and_short_vectors() {
    for dtype in FLOATS {
        let most = if dtype == DType::F32 { 1e30 } else { 1e200 };
        for size in [1e4, 1e10, 1e19, most] {
            let a = leaf(&[3.0 * size, 4.0 * size, 3.0 * size, 4.0 * size], &[2, 2], dtype);
            let b = leaf(&[size, 0.0, size, 0.0], &[2, 2], dtype).detach();
            let options = CosineEmbeddingLoss { reduction: NONE, ..Default::default() };
            let losses = cosine_embedding_loss(&a, &b, &Tensor::new([1, -1]), &options);
            // The cosine is 0.6; its derivative (b/|b| − 0.6·a/|a|)/|a|.
            let slope = [0.64 / (5.0 * size), -0.48 / (5.0 * size)];
            let losses = losses.expect("losses");
            agree("losses", &numbers(&losses), &[0.4, 0.6], dtype);
            for create_graph in [false, true] {
                let found = numbers(&gradients(&losses, &[&a], create_graph)[0]);
                let scaled: Vec<f64> = found.iter().map(|v| v * size).collect();
                let want = [-slope[0], -slope[1], slope[0], slope[1]].map(|v| v * size);
                agree(&format!("gradient at {size:e}, recorded {create_graph}"), &scaled, &want, dtype);
            }
        }
        // Nothing has no direction: the cosine is 0, and there is a finite gradient.
        let (a, b) = (leaf(&[0.0, 0.0], &[1, 2], dtype), leaf(&[1.0, 0.0], &[1, 2], dtype).detach());
        let losses =
            cosine_embedding_loss(&a, &b, &Tensor::new([1]), &CosineEmbeddingLoss::new()).expect("a loss");
        agree("nothing", &numbers(&losses), &[1.0], dtype);
        assert!(numbers(&gradients(&losses, &[&a], false)[0]).iter().all(|v| v.is_finite()));
    }
}

/// Equal points are ε·√D apart, as in PyTorch; without ε the gradient of their distance is 0.
#[test]
fn triplets_of_equal_points() {
    for dtype in FLOATS {
        for (eps, p, swap) in [
            (1e-6, 2.0, false),
            (1e-6, 2.0, true),
            (0.0, 2.0, false),
            (0.0, 2.0, true),
            (1e-6, 1.0, false),
            (0.0, 3.0, true),
        ] {
            let [a, b, c] = [0; 3].map(|_| leaf(&[1.0, 2.0, 3.0], &[1, 3], dtype));
            let options = TripletMarginLoss { eps, p, swap, reduction: NONE, ..Default::default() };
            let losses = triplet_margin_loss(&a, &b, &c, &options).expect("a loss");
            agree("equal points", &numbers(&losses), &[1.0], dtype);
            for create_graph in [false, true] {
                let found = gradients(&losses, &[&a, &b, &c], create_graph);
                assert!(found.iter().flat_map(numbers).all(|v| v.is_finite()), "{dtype} {eps} {p} {swap}");
                // With `swap` two distances are equal and share the derivative.
                let want = if swap && eps > 0.0 { 0.5 / 3f64.sqrt() } else { 0.0 };
                agree("the anchor's gradient", &numbers(&found[0]), &[want; 3], dtype);
            }
        }
    }
}

/// Two regions that are empty agree, where smoothing says what their overlap is.
#[test]
fn empty_regions() {
    for dtype in FLOATS {
        for squared in [false, true] {
            let (x, y) = (leaf(&[0.0; 4], &[1, 1, 4], dtype), leaf(&[0.0; 4], &[1, 1, 4], dtype).detach());
            let loss = dice_loss(&x, &y, &DiceLoss { squared, ..Default::default() });
            check("dice_loss", &x, loss, &[0.0], &[if squared { 0.0 } else { 1.0 }; 4]);
        }
    }
}

fn ctc(x: &Tensor, labels: &[i64], zero_infinity: bool) -> Result<Tensor> {
    let targets = Tensor::from_slice(labels, [1, labels.len()])?;
    let lengths = (Tensor::new([x.size(0)? as i64]), Tensor::new([labels.len() as i64]));
    let options = CTCLoss { zero_infinity, reduction: Reduction::Sum, ..Default::default() };
    ctc_loss(x, &targets, &lengths.0, &lengths.1, &options)
}

/// Three ways of a label in two frames, all as probable: it is in each frame in two of them.
#[test]
fn sequences_of_log_probabilities_that_are_a_leaf() {
    for dtype in FLOATS {
        let x = leaf(&[0.5f64.ln(); 4], &[2, 1, 2], dtype);
        check(
            "ctc_loss",
            &x,
            ctc(&x, &[1], false),
            &[-0.75f64.ln()],
            &[-1.0 / 3.0, -2.0 / 3.0, -1.0 / 3.0, -2.0 / 3.0],
        );
        // Through a softmax it is p − P(class | label).
        let z = leaf(&[0.0; 4], &[2, 1, 2], dtype);
        let loss = z.log_softmax(-1).and_then(|x| ctc(&x, &[1], false));
        check("ctc_loss", &z, loss, &[-0.75f64.ln()], &[1.0 / 6.0, -1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0]);
    }
    // Logarithms of what does not sum to 1 are as good.
    let x =
        Tensor::from_slice(&[-0.3, 0.2, -1.5, 0.7, -0.4, 0.1, -2.0, 0.4, 0.3, -0.6, -0.9, 0.8], [4, 1, 3]);
    let x = x.and_then(|x| x.requires_grad_(true)).expect("a leaf");
    for labels in [vec![], vec![1], vec![2, 2], vec![1, 2, 1]] {
        gradcheck(|x| Ok(vec![ctc(&x[0], &labels, false)?]), std::slice::from_ref(&x))
            .expect("the right gradient");
    }
}

#[test]
fn sequences_with_impossible_classes() {
    for dtype in FLOATS {
        // The blank cannot be: the label is in both frames.
        let x = leaf(&[-INF, 0.0, -INF, -1.0], &[2, 1, 2], dtype);
        for zero_infinity in [false, true] {
            check("no blank", &x, ctc(&x, &[1], zero_infinity), &[1.0], &[0.0, -1.0, 0.0, -1.0]);
            // No label at all: blanks only.
            let x = leaf(&[-1.0, -INF, -2.0, -INF], &[2, 1, 2], dtype);
            check("no label", &x, ctc(&x, &[], zero_infinity), &[3.0], &[-1.0, 0.0, -1.0, 0.0]);
        }
        // Two equal labels need a blank between them.
        let loss = ctc(&x, &[1, 1], true);
        check("no room", &x, loss, &[0.0], &[0.0; 4]);
        let loss = ctc(&x, &[1, 1], false).expect("a loss");
        agree("no room", &numbers(&loss), &[INF], dtype);
        // A class that cannot be, where it would have to.
        let x = leaf(&[0.0, -INF, 0.0, -INF], &[2, 1, 2], dtype);
        check("an impossible label", &x, ctc(&x, &[1], true), &[0.0], &[0.0; 4]);
    }
}
