use chainrule::prelude::*;

use crate::seeded;

#[derive(Module)]
struct SimpleModel {
    layer: Linear,
}

impl Forward for SimpleModel {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.layer.forward(x)
    }
}

/// The lines that the tutorial's script prints after `manual_seed(seed)`.
fn lines(seed: u64) -> Result<Vec<String>> {
    let _seeded = seeded(seed);
    let features = Tensor::randn([100, 10])?;
    let targets = Tensor::randint(0, 2, [100])?;
    let dataset = TensorDataset::new((features, targets))?;
    let loader = DataLoader::new(&dataset).batch_size(10).shuffle(true);
    let model = SimpleModel { layer: Linear::new(10, 2)? };
    let criterion = CrossEntropyLoss::new();
    let mut optimizer = Sgd::new(model.parameters(), SgdOptions { lr: 0.01, ..Default::default() })?;

    let mut lines = Vec::new();
    for epoch in 1..=3 {
        model.train();
        let mut train_loss = 0.0;
        for batch in &loader {
            let (inputs, targets) = batch?;
            optimizer.zero_grad();
            let loss = criterion.forward(&model.forward(&inputs)?, &targets)?;
            loss.backward()?;
            optimizer.step()?;
            train_loss += loss.item()? * inputs.size(0)? as f64;
        }
        lines.push(format!("Epoch {epoch}, Train Loss: {:.4}", train_loss / dataset.len() as f64));

        model.eval();
        let mut valid_loss = 0.0;
        for batch in &loader {
            let (inputs, targets) = batch?;
            let loss = no_grad(|| criterion.forward(&model.forward(&inputs)?, &targets))?;
            valid_loss += loss.item()? * inputs.size(0)? as f64;
        }
        lines.push(format!("Epoch {epoch} Validation Loss: {:.4}", valid_loss / dataset.len() as f64));
    }
    Ok(lines)
}

/// Training and validation losses of three epochs, as PyTorch 2.15 prints them.
const PYTORCH: [(u64, [&str; 6]); 3] = [
    (0, ["0.7581", "0.7474", "0.7443", "0.7343", "0.7317", "0.7226"]),
    (1, ["0.7079", "0.7017", "0.7020", "0.6958", "0.6958", "0.6904"]),
    (42, ["0.7431", "0.7315", "0.7272", "0.7164", "0.7123", "0.7028"]),
];

#[test]
fn prints_what_pytorch_prints() -> Result<()> {
    for (seed, [t1, v1, t2, v2, t3, v3]) in PYTORCH {
        let expected = [
            format!("Epoch 1, Train Loss: {t1}"),
            format!("Epoch 1 Validation Loss: {v1}"),
            format!("Epoch 2, Train Loss: {t2}"),
            format!("Epoch 2 Validation Loss: {v2}"),
            format!("Epoch 3, Train Loss: {t3}"),
            format!("Epoch 3 Validation Loss: {v3}"),
        ];
        assert_eq!(lines(seed)?, expected, "seed {seed}");
    }
    Ok(())
}
