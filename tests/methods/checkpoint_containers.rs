//! The containers of published weights, read to the same values as PyTorch reads.

use crate::common::checkpoint::{dict, fixture, legacy, opened, storage, tensor};
use mien::weights::checkpoint::{Checkpoint, Container, DType, Dialect, Method, read, system};

/// The tensors of `expected.safetensors` under `prefix`.
fn expected(prefix: &str) -> Checkpoint {
    let mut all = read(&fixture("expected.safetensors")).unwrap();
    let tensors = std::mem::take(&mut all.tensors);
    all.tensors = tensors
        .into_iter()
        .filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor)))
        .collect();
    all
}

#[test]
fn every_container_reads_to_the_expected_values() {
    let mut nested = expected("");
    nested
        .tensors
        .retain(|name, _| !name.starts_with("module."));
    for (file, container, want) in [
        ("nested_legacy.pth.tar", Container::Legacy, &nested),
        ("nested_zip.pth.tar", Container::Zip, &nested),
        (
            "flat_legacy.pth",
            Container::Legacy,
            &expected("generator."),
        ),
        (
            "flat_legacy_torch03_cuda.pth",
            Container::Legacy,
            &expected("generator."),
        ),
        (
            "module_legacy.pytorch",
            Container::Module,
            &expected("module."),
        ),
        (
            "module_zip.pytorch",
            Container::Module,
            &expected("module."),
        ),
    ] {
        let found = read(&fixture(file)).unwrap();
        assert_eq!(found.container, container, "{file}");
        assert_eq!(found.tensors, want.tensors, "{file}");
    }
    assert_eq!(nested.tensors.len(), 16);
}

#[test]
fn a_pickled_module_is_recognised() {
    let module = read(&fixture("module_legacy.pytorch")).unwrap();
    let system = system(&module).unwrap();
    assert_eq!(system.method, Method::MoCoGan);
    assert_eq!(system.missing().count(), 0);
}

#[test]
fn data_parallel_prefixes_are_removed() {
    // Its state_dict, and the whole module pickled.
    let wrapped = [
        "module.main.0.weight",
        "module.img_reg.0.weight",
        "module.attetion_reg.0.weight",
    ];
    let found = keyed(&wrapped);
    assert_eq!(
        system(&found).unwrap().method,
        Method::Ganimation(Dialect::Authors)
    );
    assert!(found.tensors.contains_key("main.0.weight"));

    let one = tensor(&storage("FloatStorage", "0", 1, None), 0, &[], &[]);
    let module = |parameters: &[(&str, Vec<u8>)], modules: &[(&str, Vec<u8>)]| {
        let state = dict(&[
            ("_parameters", dict(parameters)),
            ("_modules", dict(modules)),
        ]);
        [b"cmodels\nNet\n)\x81", &state[..], b"b"].concat()
    };
    let main = module(&[], &[("0", module(&[("weight", one.clone())], &[]))]);
    let cell = module(
        &[("weight_ih", one.clone()), ("weight_hh", one.clone())],
        &[],
    );
    let network = module(&[], &[("recurrent", cell), ("main", main)]);
    let parallel = module(&[], &[("module", network)]);
    let found = opened(&legacy(&parallel, &[("0", &[1.0])])).unwrap();
    assert_eq!(found.container, Container::Module);
    assert_eq!(system(&found).unwrap().method, Method::MoCoGan);

    // A file that also has other names is left as it is, and so is one with exactly that name.
    for keys in [["module.main.0.weight", "epoch"], ["module.", "module.a"]] {
        let found = keyed(&keys);
        assert!(
            keys.iter().all(|&key| found.tensors.contains_key(key)),
            "{keys:?}"
        );
    }
}

/// A checkpoint with these keys.
fn keyed(keys: &[&str]) -> Checkpoint {
    let one = tensor(&storage("FloatStorage", "0", 1, None), 0, &[], &[]);
    let entries: Vec<_> = keys.iter().map(|&key| (key, one.clone())).collect();
    opened(&legacy(&dict(&entries), &[("0", &[1.0])])).unwrap()
}

#[test]
fn the_method_of_a_checkpoint_is_recognised_by_its_keys() {
    let fomm = ["generator.first.conv.weight", "kp_detector.jacobian.weight"];
    let tps = [
        "dense_motion_network.maps.weight",
        "inpainting_network.first.conv.weight",
        "kp_detector.fg_encoder.fc.weight",
    ];
    let critic = ["main.0.weight", "conv1.weight", "conv2.weight"];
    type Case<'a> = (&'a [&'a str], Method, &'a [&'a str], &'a [&'a str]);
    let cases: [Case<'_>; 8] = [
        (&fomm, Method::Fomm, &["generator", "kp_detector"], &[]),
        (&fomm[1..], Method::Fomm, &["kp_detector"], &["generator"]),
        (
            &tps,
            Method::Tps,
            &["kp_detector", "inpainting_network"],
            &[],
        ),
        (
            &tps[1..],
            Method::Tps,
            &["kp_detector"],
            &["dense_motion_network"],
        ),
        (
            &["main.0.weight", "img_reg.0.weight", "attetion_reg.0.weight"],
            Method::Ganimation(Dialect::Authors),
            &["generator"],
            &[],
        ),
        (
            &critic,
            Method::Ganimation(Dialect::Authors),
            &["critic"],
            &["generator"],
        ),
        (
            &["model.1.weight", "color_top.0.weight", "au_top.0.weight"],
            Method::Ganimation(Dialect::Donydchen),
            &["generator"],
            &[],
        ),
        (
            &[
                "main.0.weight",
                "im_reg.0.weight",
                "im_att.0.weight",
                "debug1.0.weight",
            ],
            Method::Ganimation(Dialect::Vipermu),
            &["generator"],
            &[],
        ),
    ];
    for (keys, method, there, missing) in cases {
        let system = system(&keyed(keys)).unwrap();
        assert_eq!(system.method, method, "{keys:?}");
        assert!(there.iter().all(|part| system.has(part)), "{keys:?}");
        assert_eq!(system.missing().collect::<Vec<_>>(), missing, "{keys:?}");
    }
    assert_eq!(system(&keyed(&["main.0.weight", "head.weight"])), None);
}

#[test]
fn strided_views_become_contiguous() {
    let values: Vec<f32> = (0..24_u8).map(f32::from).collect();
    let whole = storage("FloatStorage", "7", 24, None);
    let part = storage("FloatStorage", "7", 24, Some((6, 12)));
    let object = dict(&[
        ("turned", tensor(&whole, 0, &[2, 3, 4], &[1, 2, 6])),
        ("every_other", tensor(&whole, 1, &[3, 4], &[8, 2])),
        ("spread", tensor(&whole, 5, &[2, 3], &[0, 0])),
        ("part", tensor(&part, 2, &[2, 5], &[5, 1])),
        ("one", tensor(&whole, 23, &[], &[])),
        ("none", tensor(&whole, 0, &[2, 0, 3], &[0, 3, 1])),
        (
            "thin",
            tensor(&whole, 3, &[1, 4, 1], &[i64::MAX, 1, i64::MAX]),
        ),
    ]);
    let found = opened(&legacy(&object, &[("7", &values)])).unwrap();
    let get = |name: &str| found.tensors[name].to_f32();
    let turned = [
        0., 6., 12., 18., 2., 8., 14., 20., 4., 10., 16., 22., 1., 7., 13., 19., 3., 9., 15., 21.,
        5., 11., 17., 23.,
    ];
    assert_eq!(get("turned"), turned);
    assert_eq!(
        get("every_other"),
        [1., 3., 5., 7., 9., 11., 13., 15., 17., 19., 21., 23.]
    );
    assert_eq!(get("spread"), [5.; 6]);
    assert_eq!(
        get("part"),
        [8., 9., 10., 11., 12., 13., 14., 15., 16., 17.]
    );
    assert_eq!((get("one"), get("none")), (vec![23.], vec![]));
    assert_eq!(found.tensors["none"].shape, [2, 0, 3]);
    assert_eq!(get("thin"), [3., 4., 5., 6.]);
}

#[test]
fn every_number_type_is_read() {
    let bytes = [0x00, 0x3c, 0x80, 0x3f, 0x01, 0x00, 0x00, 0x00].map(|byte: u8| byte);
    let words = bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&word| f32::from_le_bytes(word));
    let words: Vec<f32> = words.collect();
    for (class, dtype, first) in [
        ("HalfStorage", DType::F16, 1.0),
        (
            "FloatStorage",
            DType::F32,
            f32::from_le_bytes([0x00, 0x3c, 0x80, 0x3f]),
        ),
        ("LongStorage", DType::I64, i64::from_le_bytes(bytes) as f32),
        (
            "IntStorage",
            DType::I32,
            i32::from_le_bytes([0x00, 0x3c, 0x80, 0x3f]) as f32,
        ),
        ("ByteStorage", DType::U8, 0.0),
        ("BoolStorage", DType::Bool, 0.0),
        ("BFloat16Storage", DType::BF16, 0.007_812_5),
        (
            "DoubleStorage",
            DType::F64,
            f64::from_le_bytes(bytes) as f32,
        ),
    ] {
        let count = 8 / dtype.size() as i64;
        let object = dict(&[(
            "x",
            tensor(&storage(class, "0", count, None), 0, &[count], &[1]),
        )]);
        let mut file = legacy(&object, &[("0", &words)]);
        // The number of elements, which `legacy` writes for floats.
        let at = file.len() - 16;
        file[at] = count as u8;
        let found = opened(&file).unwrap();
        assert_eq!(found.tensors["x"].dtype, dtype);
        assert_eq!(found.tensors["x"].data, bytes);
        assert_eq!(found.tensors["x"].to_f32()[0], first, "{class}");
    }
}

#[test]
fn checkpoints_of_python_2_and_torch_03_are_read() {
    let data = tensor(&storage("FloatStorage", "0", 2, None), 0, &[2], &[1]);
    // A Variable with its state, in an OrderedDict made of a list of lists, and a number of more than 32 bits.
    let parameter = [
        b"ctorch.nn.parameter\nParameter\n",
        &data[..],
        b"\x85R(\x88\x89}tb",
    ]
    .concat();
    let ordered = [
        b"ccollections\nOrderedDict\n](](U\x06weight",
        &parameter[..],
        b"e](U\x04manyI8589934592\nee\x85R",
    ]
    .concat();
    let back = b"ctorch.nn.backends.thnn\n_get_thnn_function_backend\n)R".to_vec();
    let module = [
        b"(U\x06modulecmodels\nNet\nNNtQ)\x81",
        &dict(&[
            ("_backend", back),
            ("_parameters", ordered),
            ("_modules", b"}".to_vec()),
            (
                "_buffers",
                dict(&[("mean", data.clone()), ("none", b"N".to_vec())]),
            ),
        ])[..],
        b"b",
    ]
    .concat();
    let found = opened(&legacy(&module, &[("0", &[1.5, -2.0])])).unwrap();
    assert_eq!(found.container, Container::Module);
    assert_eq!(found.tensors.keys().collect::<Vec<_>>(), ["mean", "weight"]);
    assert_eq!(found.tensors["weight"].to_f32(), [1.5, -2.0]);
}
