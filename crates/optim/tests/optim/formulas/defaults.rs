//! What PyTorch has as defaults.

use chainrule_optim::*;

/// All that its constructors have, as the JSON of the options.
#[test]
fn defaults_are_those_of_pytorch_in_full() {
    fn check<A: Algorithm + Default>(want: &str) {
        assert_eq!(serde_json::to_string(&A::default()).unwrap(), want);
    }
    check::<AdagradOptions>(
        r#"{"lr":0.01,"lr_decay":0.0,"weight_decay":0.0,"initial_accumulator_value":0.0,"eps":1e-10,"maximize":false}"#,
    );
    check::<AdadeltaOptions>(r#"{"lr":1.0,"rho":0.9,"eps":1e-6,"weight_decay":0.0,"maximize":false}"#);
    check::<AdamaxOptions>(
        r#"{"lr":0.002,"betas":[0.9,0.999],"eps":1e-8,"weight_decay":0.0,"maximize":false}"#,
    );
    check::<NAdamOptions>(
        r#"{"lr":0.002,"betas":[0.9,0.999],"eps":1e-8,"weight_decay":0.0,"momentum_decay":0.004,"decoupled_weight_decay":false,"maximize":false}"#,
    );
    check::<RAdamOptions>(
        r#"{"lr":0.001,"betas":[0.9,0.999],"eps":1e-8,"weight_decay":0.0,"decoupled_weight_decay":false,"maximize":false}"#,
    );
    check::<RpropOptions>(r#"{"lr":0.01,"etas":[0.5,1.2],"step_sizes":[1e-6,50.0],"maximize":false}"#);
    check::<AdafactorOptions>(
        r#"{"lr":0.01,"beta2_decay":-0.8,"eps":[null,0.001],"d":1.0,"weight_decay":0.0,"maximize":false}"#,
    );
    check::<MuonOptions>(
        r#"{"lr":0.001,"weight_decay":0.1,"momentum":0.95,"nesterov":true,"ns_coefficients":[3.4445,-4.775,2.0315],"eps":1e-7,"ns_steps":5,"adjust_lr_fn":null}"#,
    );
    check::<SparseAdamOptions>(r#"{"lr":0.001,"betas":[0.9,0.999],"eps":1e-8,"maximize":false}"#);
    check::<AsgdOptions>(
        r#"{"lr":0.01,"lambd":0.0001,"alpha":0.75,"t0":1000000.0,"weight_decay":0.0,"maximize":false}"#,
    );
}

#[test]
fn defaults_are_those_of_pytorch() {
    let sgd = SgdOptions::default();
    assert_eq!((sgd.lr, sgd.momentum, sgd.dampening, sgd.weight_decay), (1e-3, 0.0, 0.0, 0.0));
    let adam = AdamOptions::default();
    assert_eq!((adam.lr, adam.betas, adam.eps, adam.weight_decay), (1e-3, (0.9, 0.999), 1e-8, 0.0));
    assert!(!adam.amsgrad && !adam.maximize && !adam.decoupled_weight_decay);
    let adamw = AdamWOptions::default();
    assert_eq!((adamw.lr, adamw.betas, adamw.eps, adamw.weight_decay), (1e-3, (0.9, 0.999), 1e-8, 0.01));
    let rmsprop = RmsPropOptions::default();
    assert_eq!((rmsprop.lr, rmsprop.alpha, rmsprop.eps, rmsprop.momentum), (1e-2, 0.99, 1e-8, 0.0));
}
