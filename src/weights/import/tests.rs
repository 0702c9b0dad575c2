//! Written files are read back, and files that can't be written give errors.

use proptest::prelude::*;

use super::*;
use crate::weights::checkpoint::{Checkpoint, read, read_bytes};
use crate::weights::{CropRule, Source};

fn metadata() -> Metadata {
    Metadata {
        architecture: "fomm".to_owned(),
        config: serde_json::json!({"points": 10, "temperature": 0.1}),
        au_order: vec![1, 2, 45],
        crop: Some(CropRule {
            kind: "landmark_bbox_square".to_owned(),
            scale: 1.4,
            upright: false,
        }),
        licence: "MIT".to_owned(),
        origin: "the authors' \"vox\"".to_owned(),
        imported_from: Some(Source {
            file: "vox-cpk.pth.tar".to_owned(),
            size: 728_766_691,
            sha256: "ab".repeat(32),
        }),
    }
}

fn raw(dtype: DType, shape: &[usize], data: &[u8]) -> RawTensor {
    RawTensor {
        shape: shape.to_vec(),
        dtype,
        data: data.to_vec(),
    }
}

/// Writes to a temporary folder, and returns the bytes.
fn written(tensors: &[(&str, RawTensor)], metadata: &Metadata) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.safetensors");
    let tensors = tensors.iter().map(|(name, tensor)| (*name, tensor));
    let size = write_model(&path, tensors, metadata, Existing::Refuse).map_err(sentence)?;
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes.len() as u64, size);
    Ok(bytes)
}

/// The error's text, which must be one sentence that names the file.
fn sentence(error: WeightsError) -> String {
    let text = error.to_string();
    assert!(text.contains("new.safetensors"), "{text}");
    assert!(text.ends_with('.') && !text.contains(". "), "{text}");
    assert!(!text.contains(".mien-"), "{text}");
    text
}

fn one() -> [(&'static str, RawTensor); 1] {
    [("a", raw(DType::F32, &[], &1.5_f32.to_le_bytes()))]
}

#[test]
fn an_imported_checkpoint_has_the_same_tensors() {
    let containers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/containers");
    for name in [
        "nested_legacy.pth.tar",
        "nested_zip.pth.tar",
        "flat_legacy.pth",
        "flat_legacy_torch03_cuda.pth",
        "module_legacy.pytorch",
        "module_zip.pytorch",
    ] {
        let Checkpoint { tensors, .. } = read(&containers.join(name)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.safetensors");
        let size = write_model(&path, &tensors, &metadata(), Existing::Refuse).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len() as u64, size);
        assert_eq!(Metadata::of(&path, &bytes).unwrap(), metadata());

        let found = read(&path).unwrap().tensors;
        let floats = tensors.iter().filter(|(_, t)| stored_as(t.dtype).is_some());
        let (mut kept, mut whole) = (0, tensors.len());
        for (name, tensor) in floats {
            let want = if tensor.dtype == DType::F16 {
                DType::F16
            } else {
                DType::F32
            };
            assert_eq!(found[name].dtype, want, "{name}");
            assert_eq!(found[name].shape, tensor.shape, "{name}");
            assert_eq!(found[name].to_f32(), tensor.to_f32(), "{name}");
            kept += 1;
        }
        whole -= tensors
            .keys()
            .filter(|k| k.ends_with("num_batches_tracked"))
            .count();
        assert_eq!((found.len(), kept), (whole, whole), "{name}");
    }
}

#[test]
fn floating_point_tensors_become_f32_and_integers_are_dropped() {
    let bytes = written(
        &[
            ("half", raw(DType::F16, &[2], &[0x00, 0x3c, 0x01, 0x80])),
            ("brain", raw(DType::BF16, &[1], &[0x80, 0x3f])),
            ("double", raw(DType::F64, &[1, 1], &0.1_f64.to_le_bytes())),
            ("single", raw(DType::F32, &[], &[1, 0, 0, 0])),
            ("none", raw(DType::F32, &[0, 3], &[])),
            ("count", raw(DType::I64, &[], &[7; 8])),
            ("flag", raw(DType::Bool, &[1], &[1])),
        ],
        &metadata(),
    )
    .unwrap();
    let found = read_bytes(Path::new("x"), &bytes).unwrap().tensors;
    let names: Vec<_> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["brain", "double", "half", "none", "single"]);
    assert_eq!(
        found["half"],
        raw(DType::F16, &[2], &[0x00, 0x3c, 0x01, 0x80])
    );
    assert_eq!(
        found["brain"],
        raw(DType::F32, &[1], &1.0_f32.to_le_bytes())
    );
    assert_eq!(
        found["double"],
        raw(DType::F32, &[1, 1], &0.1_f32.to_le_bytes())
    );
    assert_eq!(found["single"], raw(DType::F32, &[], &[1, 0, 0, 0]));
    assert_eq!(found["none"], raw(DType::F32, &[0, 3], &[]));
}

#[test]
fn an_existing_model_file_is_replaced_only_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.safetensors");
    let write = |existing| {
        let tensors = one();
        let tensors = tensors.iter().map(|(name, tensor)| (*name, tensor));
        write_model(&path, tensors, &metadata(), existing)
    };
    fs::write(&path, "old").unwrap();
    let error = write(Existing::Refuse).unwrap_err();
    assert!(matches!(error, WeightsError::Exists(_)));
    sentence(error);
    assert_eq!(fs::read(&path).unwrap(), b"old");

    let size = write(Existing::Replace).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), size);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    for existing in [Existing::Refuse, Existing::Replace] {
        sentence(write(existing).unwrap_err());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_failed_write_is_reported_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for (inside, part) in [
        ("gone", "folder doesn't exist"),
        ("file", "folder doesn't exist"),
    ] {
        let path = folder.path().join(inside).join("new.safetensors");
        let [(name, tensor)] = &one();
        let error = write_model(&path, [(*name, tensor)], &metadata(), Existing::Refuse);
        let text = sentence(error.unwrap_err());
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    for (kind, part) in [
        (io::ErrorKind::StorageFull, "no room for its 183.5 MB"),
        (io::ErrorKind::PermissionDenied, "is write-protected"),
        (io::ErrorKind::Other, "system error"),
    ] {
        let error = io::Error::new(kind, "at /somewhere/.mien-1.part");
        let text = sentence(not_written(
            Path::new("new.safetensors"),
            &error,
            183_456_789,
        ));
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_model_file_that_could_not_be_read_back_is_not_written() {
    let refused = |tensors: &[(&str, RawTensor)], metadata| written(tensors, metadata).unwrap_err();
    let mut odd = metadata();
    odd.crop = odd.crop.map(|crop| CropRule {
        scale: f32::NAN,
        ..crop
    });
    assert!(refused(&one(), &odd).contains("crop"));
    let [(_, tensor)] = one();
    let plain = metadata();
    assert!(refused(&[("__metadata__", tensor.clone())], &plain).contains("safetensors"));
    let twice = [("a", tensor.clone()), ("a", tensor)];
    assert!(refused(&twice, &plain).contains("two of its"));
    let short = raw(DType::F32, &[2], &[0; 4]);
    assert!(refused(&[("a", short)], &plain).contains("shape"));
    let counts = [("a", raw(DType::I64, &[], &[0; 8]))];
    assert!(refused(&counts, &plain).contains("no weights"));
    assert!(refused(&[], &plain).contains("no weights"));
}

#[test]
fn an_import_repeated_gives_the_same_bytes() {
    let first = written(&one(), &metadata()).unwrap();
    assert_eq!(first, written(&one(), &metadata()).unwrap());
    assert_eq!((first.len() - 4) % 8, 0);
}

fn tensor() -> impl Strategy<Value = RawTensor> {
    let kinds = [DType::F16, DType::BF16, DType::F32, DType::F64, DType::U8];
    let shape = prop::collection::vec(0..4_usize, 0..4);
    (prop::sample::select(kinds.to_vec()), shape).prop_flat_map(|(dtype, shape)| {
        let size = shape.iter().product::<usize>() * dtype.size();
        let data = prop::collection::vec(any::<u8>(), size);
        data.prop_map(move |data| raw(dtype, &shape, &data))
    })
}

proptest! {
    #[test]
    fn any_floating_point_tensors_with_any_names_round_trip(
        tensors in prop::collection::btree_map(".{0,8}", tensor(), 1..6),
    ) {
        let list: Vec<_> = tensors.iter().map(|(k, t)| (k.as_str(), t.clone())).collect();
        let floats = || tensors.iter().filter(|(_, t)| stored_as(t.dtype).is_some());
        let Ok(bytes) = written(&list, &metadata()) else {
            prop_assert_eq!(floats().count(), 0);
            return Ok(());
        };
        let found = read_bytes(Path::new("x"), &bytes).unwrap().tensors;
        prop_assert_eq!(found.len(), floats().count());
        for (name, tensor) in floats() {
            prop_assert_eq!(&found[name].shape, &tensor.shape);
            let bits = |t: &RawTensor| t.to_f32().into_iter().map(f32::to_bits).collect::<Vec<_>>();
            prop_assert_eq!(bits(&found[name]), bits(tensor));
        }
    }
}
