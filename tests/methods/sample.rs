//! Samples: the same on every machine, resampled part by part, blended, saved exactly.

use mien::document::{Category, EXPRESSIONS, Sample, SampleError, SampleSizes as Sizes, category};
use proptest::prelude::*;

fn sizes() -> Sizes {
    Sizes {
        content: 7,
        categories: 3,
        motion: 4,
    }
}

fn draw(seed: u64, frames: usize) -> Sample {
    Sample::draw(seed, &sizes(), frames, None).unwrap()
}

fn bits(sample: &Sample) -> Vec<u32> {
    let codes = [&sample.content, &sample.h0].into_iter();
    codes
        .chain(&sample.epsilon)
        .flatten()
        .map(|v| v.to_bits())
        .collect()
}

fn length(v: &[f32]) -> f64 {
    v.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

/// If these numbers ever change, so does every sample of which only the seed was saved.
#[test]
fn a_seed_always_draws_the_same_numbers() {
    let sample = Sample::draw(42, &Sizes::default(), 16, None).unwrap();
    // Computed by another program, from the cipher's definition and another library's logarithm.
    let content = [-2.111_597_3, -0.444_424_8, 0.276_900_62, 0.268_890_68];
    assert_eq!(sample.content[..4], content);
    assert_eq!(sample.category, Some(Category { index: 0, of: 6 }));
    let start = [0.413_328, 0.954_548_5, -0.888_061, -0.623_144_8];
    assert_eq!(sample.h0[..4], start);
    let first = [-0.075_971_1, 1.141_559_6, -0.082_601_23, -0.658_2];
    assert_eq!(sample.epsilon[0][..4], first);
    assert_eq!(sample.epsilon[15][9], -0.133_182_93);
}

#[test]
fn content_and_motion_are_resampled_independently() {
    let sample = draw(1, 5);
    sample.check(&sizes()).unwrap();
    assert_eq!(sample.sizes(), sizes());
    let other = draw(2, 9);

    let content = sample.resample_content(2);
    assert_eq!(content.content, other.content);
    assert_eq!(
        content,
        Sample {
            content: other.content.clone(),
            ..sample.clone()
        }
    );

    let motion = sample.resample_motion(2);
    assert_eq!(motion.h0, other.h0);
    assert_eq!(motion.epsilon, other.epsilon[..5]);
    assert_eq!(
        (motion.content, motion.category),
        (sample.content.clone(), sample.category)
    );

    let given = Category { index: 1, of: 3 };
    let with = Sample::draw(1, &sizes(), 5, Some(given)).unwrap();
    assert_eq!(
        with,
        Sample {
            category: Some(given),
            ..sample.clone()
        }
    );

    // No two streams give the same values.
    let mut all: Vec<u32> = bits(&sample);
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn changing_the_length_keeps_the_common_frames() {
    let twelve = draw(3, 12);
    for frames in [1, 5, 12, 30] {
        let other = twelve.with_frames(frames).unwrap();
        assert_eq!(other, draw(3, frames));
        assert_eq!(other.with_frames(12).unwrap(), twelve);
    }
    for frames in [0, Sample::MAX_FRAMES + 1] {
        assert!(matches!(
            twelve.with_frames(frames),
            Err(SampleError::Frames { found }) if found == frames
        ));
        assert!(Sample::draw(1, &sizes(), frames, None).is_err());
    }
}

#[test]
fn content_codes_are_blended_spherically() {
    let (a, b) = (draw(1, 3), draw(5, 3));
    assert_eq!(a.interpolate_content(&b, 0.0).unwrap(), a);
    let end = a.interpolate_content(&b, 1.0).unwrap();
    assert_eq!((&end.content, end.category), (&b.content, b.category));
    assert_eq!((&end.h0, &end.epsilon), (&a.h0, &a.epsilon));
    let half = a.interpolate_content(&b, 0.5).unwrap();
    let middle = (length(&a.content) + length(&b.content)) / 2.0;
    assert!((length(&half.content) - middle).abs() < 1e-5);
    // The midpoint is equally far from both.
    let cosine = |u: &[f32], v: &[f32]| {
        let product: f64 = u.iter().zip(v).map(|(u, v)| f64::from(u * v)).sum();
        product / length(u) / length(v)
    };
    assert!((cosine(&half.content, &a.content) - cosine(&half.content, &b.content)).abs() < 1e-5);
    // The category switches halfway.
    let early = a.interpolate_content(&b, 0.49).unwrap();
    assert_eq!((early.category, half.category), (a.category, b.category));
}

#[test]
fn motion_codes_are_blended_frame_by_frame() {
    let (a, b) = (draw(1, 6), draw(5, 3));
    assert_eq!(a.interpolate_motion(&b, 0.0).unwrap(), a);
    let end = a.interpolate_motion(&b, 1.0).unwrap();
    let longer = b.with_frames(6).unwrap();
    assert_eq!((&end.h0, &end.epsilon), (&longer.h0, &longer.epsilon));
    assert_eq!(end.motion_seed, b.motion_seed);
    assert_eq!((&end.content, end.category), (&a.content, a.category));
    let third = a.interpolate_motion(&b, 0.3).unwrap();
    assert_eq!(third.motion_seed, a.motion_seed);
    for ((x, a), b) in third.epsilon.iter().zip(&a.epsilon).zip(&longer.epsilon) {
        let wanted = 0.7 * length(a) + 0.3 * length(b);
        assert!((length(x) - wanted).abs() < 1e-5);
    }
}

#[test]
fn blends_of_degenerate_codes_are_finite() {
    let with = |content: Vec<f32>| Sample {
        content,
        ..draw(1, 1)
    };
    let blend = |a: &[f32], b: &[f32], t: f32| {
        let (a, b) = (with(a.to_vec()), with(b.to_vec()));
        a.interpolate_content(&b, t).unwrap().content
    };
    // A code of zeros has no direction: linear interpolation.
    assert_eq!(blend(&[0.0, 0.0], &[3.0, 4.0], 0.5), [1.5, 2.0]);
    assert_eq!(blend(&[0.0, 0.0], &[0.0, 0.0], 0.5), [0.0, 0.0]);
    // Equal codes stay the same, and a longer one grows.
    assert_eq!(blend(&[3.0, 4.0], &[3.0, 4.0], 0.3), [3.0, 4.0]);
    assert_eq!(blend(&[1.0, 0.0], &[3.0, 0.0], 0.5), [2.0, 0.0]);
    // Opposite codes go around the origin, not through it.
    for (a, b) in [
        ([1.0, 2.0, -2.0], [-1.0, -2.0, 2.0]),
        ([0.0, 0.0, 1.0], [0.0, 0.0, -3.0]),
    ] {
        for t in [0.1, 0.5, 0.9] {
            let x = blend(&a, &b, t);
            let wanted = (1.0 - f64::from(t)) * length(&a) + f64::from(t) * length(&b);
            assert!((length(&x) - wanted).abs() < 1e-5, "{x:?}");
        }
        let near = blend(&a, &b, 1e-4);
        assert!((length(&near) - length(&a)).abs() < 1e-3);
        assert!(near.iter().zip(&a).all(|(x, a)| (x - a).abs() < 2e-3));
    }
    // In one dimension there is no way around.
    assert_eq!(blend(&[1.0], &[-1.0], 0.25), [0.5]);
    assert_eq!(blend(&[], &[], 0.25), Vec::<f32>::new());
    // The largest and smallest floats work.
    assert!(
        blend(&[3e38, 1e-45], &[-3e38, 3e38], 0.5)
            .iter()
            .all(|v| v.is_finite())
    );
}

#[test]
fn blends_of_incompatible_samples_are_refused() {
    let a = draw(1, 2);
    for t in [-0.1, 1.1, f32::NAN] {
        assert!(matches!(
            a.interpolate_content(&a, t),
            Err(SampleError::BlendWeight(_))
        ));
        assert!(matches!(
            a.interpolate_motion(&a, t),
            Err(SampleError::BlendWeight(_))
        ));
    }
    let other = Sample::draw(
        1,
        &Sizes {
            content: 8,
            ..sizes()
        },
        2,
        None,
    )
    .unwrap();
    assert_eq!(
        a.interpolate_content(&other, 0.5).unwrap_err().to_string(),
        "There are 8 numbers in the content instead of 7; use a sample of the same model."
    );
    let other = Sample::draw(
        1,
        &Sizes {
            motion: 5,
            ..sizes()
        },
        2,
        None,
    )
    .unwrap();
    assert!(matches!(
        a.interpolate_motion(&other, 0.5),
        Err(SampleError::Length { .. })
    ));
    let other = Sample::draw(
        1,
        &Sizes {
            categories: 0,
            ..sizes()
        },
        2,
        None,
    )
    .unwrap();
    assert!(matches!(
        a.interpolate_content(&other, 0.5),
        Err(SampleError::Category { .. })
    ));
    let broken = Sample {
        content: vec![f32::INFINITY; 7],
        ..a.clone()
    };
    assert!(matches!(
        a.interpolate_content(&broken, 0.0),
        Err(SampleError::NotFinite { .. })
    ));
}

#[test]
fn samples_of_another_model_are_refused() {
    let sample = draw(1, 3);
    let refused = |change: &dyn Fn(&mut Sample)| {
        let mut sample = sample.clone();
        change(&mut sample);
        sample.check(&sizes()).unwrap_err().to_string()
    };
    for (text, expected) in [
        (
            refused(&|s| s.content.truncate(6)),
            "There are 6 numbers in the content instead of 7; use a sample of the same model.",
        ),
        (
            refused(&|s| s.h0[3] = f32::NAN),
            "Number 3 of the motion's start isn't finite; sample it again.",
        ),
        (
            refused(&|s| s.epsilon[2].push(0.0)),
            "There are 5 numbers in the step of frame 3 instead of 4; use a sample of the same model.",
        ),
        (
            refused(&|s| s.epsilon.clear()),
            "A clip can't have 0 frames; choose from 1 to 30000.",
        ),
        (
            refused(&|s| s.category = None),
            "The sample's category is none, but the model has 3, numbered from 0; sample it with this model.",
        ),
        (
            refused(&|s| s.category = Some(Category { index: 3, of: 3 })),
            "The sample's category is number 3 of 3, but the model has 3, numbered from 0; sample it with this model.",
        ),
    ] {
        assert_eq!(text, expected);
    }
    let none = Sizes {
        categories: 0,
        ..sizes()
    };
    assert_eq!(
        Sample::draw(1, &none, 1, None).unwrap().category_code(),
        Vec::<f32>::new()
    );
    let wrong = Some(Category { index: 0, of: 2 });
    assert!(Sample::draw(1, &sizes(), 1, wrong).is_err());
}

#[test]
fn categories_are_found_by_name_or_number() {
    for (index, name) in EXPRESSIONS.iter().enumerate() {
        let found = Category { index, of: 6 };
        assert_eq!(category(name, 6).unwrap(), found);
        assert_eq!(category(&index.to_string(), 6).unwrap(), found);
        assert_eq!(found.title(), *name);
        assert_eq!(found.one_hot().iter().position(|v| *v == 1.0), Some(index));
        assert_eq!(found.one_hot().iter().sum::<f32>(), 1.0);
    }
    assert_eq!(category(" Happ", 6).unwrap().index, 3);
    assert_eq!(category("2", 3).unwrap(), Category { index: 2, of: 3 });
    assert_eq!(Category { index: 2, of: 3 }.title(), "2");
    for (name, of, known) in [
        (
            "joy",
            6,
            "anger, disgust, fear, happiness, sadness, surprise",
        ),
        ("s", 6, "anger, disgust"),
        ("", 6, "anger, disgust"),
        ("6", 6, "anger, disgust"),
        ("-1", 6, "anger, disgust"),
        ("fear", 3, "a number from 0 to 2"),
        ("1", 1, "use one of: 0."),
        ("0", 0, "the model has no categories"),
    ] {
        let error = category(name, of).unwrap_err().to_string();
        assert!(error.contains(known), "{error}");
    }
}

#[test]
fn sample_files_round_trip_and_invalid_ones_are_refused() {
    let folder = std::env::temp_dir().join(format!("mien-sample-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("walk.json");
    let sample = draw(4, 3);
    sample.save(&path).unwrap();
    sample.with_frames(2).unwrap().save(&path).unwrap();
    assert_eq!(Sample::load(&path).unwrap(), sample.with_frames(2).unwrap());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    assert!(matches!(
        Sample::load(&folder.join("none")),
        Err(SampleError::Unreadable(_))
    ));
    let nowhere = folder.join("none").join("walk.json");
    assert!(matches!(
        sample.save(&nowhere),
        Err(SampleError::Unwritten(_))
    ));
    std::fs::remove_dir_all(&folder).unwrap();

    let json = sample.to_json().unwrap();
    let first = format!("{:?}", sample.content[0]);
    for (bad, message) in [
        (String::new(), "codes of a sample that Mien saved"),
        ("{}".to_owned(), "its format is not"),
        ("[1, 2]".to_owned(), "codes of a sample that Mien saved"),
        (
            json.replace("mien-sample", "preset"),
            "its format is not \"mien-sample\"",
        ),
        (
            json.replace("\"version\": 1", "\"version\": 2"),
            "saved in version 2 of the format, which this Mien doesn't know",
        ),
        // A newer version may also have other fields.
        (
            json.replace("\"version\": 1", "\"version\": 9, \"more\": 0"),
            "saved in version 9",
        ),
        (json.replace("\"version\": 1,", ""), "it has no version"),
        (
            json.replace("\"version\": 1", "\"version\": 1, \"more\": 0"),
            "more",
        ),
        (
            json.replace(&first, "1,5"),
            "the content holds \"1,5\", not a number",
        ),
        (
            json.replace(&first, "NaN"),
            "Number 0 of the content isn't finite",
        ),
        (
            json.replace(&first, "1e39"),
            "Number 0 of the content isn't finite",
        ),
        (
            json.replacen("\"h0\": \"", "\"h0\": \"1 ", 1),
            "There are 4 numbers in the step of frame 1 instead of 5",
        ),
        (json.replace("\"of\": 3", "\"of\": 0"), "category"),
        (
            json[..json.len() / 2].to_owned(),
            "codes of a sample that Mien saved",
        ),
    ] {
        let error = Sample::from_json(&bad).unwrap_err().to_string();
        assert!(error.contains(message), "{error}, not {message}");
    }
    let mut broken = sample;
    broken.h0[0] = f32::NAN;
    assert!(broken.to_json().is_err());
}

fn finite() -> impl Strategy<Value = f32> {
    any::<u32>()
        .prop_map(f32::from_bits)
        .prop_filter("finite", |v| v.is_finite())
}

proptest! {
    #[test]
    fn every_bit_of_a_sample_round_trips(
        content in prop::collection::vec(finite(), 0..20),
        steps in prop::collection::vec(prop::collection::vec(finite(), 3), 1..10),
        h0 in prop::collection::vec(finite(), 3),
        of in 0usize..5,
        index in any::<prop::sample::Index>(),
        motion_seed in any::<u64>(),
    ) {
        let category = (of > 0).then(|| Category { index: index.index(of.max(1)), of });
        let sample = Sample { content, category, h0, epsilon: steps, motion_seed };
        let back = Sample::from_json(&sample.to_json().unwrap()).unwrap();
        prop_assert_eq!(bits(&back), bits(&sample));
        prop_assert_eq!(back, sample);
    }

    #[test]
    fn drawing_depends_only_on_the_seed(seed in any::<u64>(), frames in 1usize..40, more in 1usize..40) {
        let sample = draw(seed, frames);
        prop_assert_eq!(bits(&sample), bits(&draw(seed, frames)));
        prop_assert_eq!(sample.with_frames(more).unwrap(), draw(seed, more));
        prop_assert_ne!(&sample.content, &draw(seed.wrapping_add(1), frames).content);
        prop_assert!(sample.check(&sizes()).is_ok());
    }

    #[test]
    fn blends_are_finite_and_of_blended_length(
        a in prop::collection::vec(-4f32..4.0, 5),
        b in prop::collection::vec(-4f32..4.0, 5),
        t in 0f32..=1.0,
    ) {
        let of = |content: &[f32]| Sample { content: content.to_vec(), ..draw(1, 1) };
        let x = of(&a).interpolate_content(&of(&b), t).unwrap().content;
        let wanted = (1.0 - f64::from(t)) * length(&a) + f64::from(t) * length(&b);
        prop_assert!((length(&x) - wanted).abs() < 1e-4);
        // The reverse interpolation gives the same code.
        let back = of(&b).interpolate_content(&of(&a), 1.0 - t).unwrap().content;
        for (x, y) in x.iter().zip(&back) {
            prop_assert!((x - y).abs() < 1e-3, "{} {}", x, y);
        }
    }
}
