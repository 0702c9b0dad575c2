//! Notes in files of every kind: the visible content is unchanged, notes are read back, and damage does no harm.

mod containers;
mod damage;
mod files;

use crate::common::media::provenance::read;
use mien::media::provenance::{Provenance, SourceType};

fn note() -> Provenance {
    Provenance::new(
        vec!["ganimation-128".into(), "tps-256".into()],
        SourceType::CompositeWithTrainedAlgorithmicMedia,
    )
}

/// One of each kind, and of each variant that is handled differently.
fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("png", files::png()),
        ("apng", files::apng()),
        ("jpeg", files::jpeg()),
        ("webp, lossless", files::webp_lossless(3)),
        ("webp, lossless with alpha", files::webp_lossless(4)),
        ("webp, lossy", files::WEBP_LOSSY.to_vec()),
        ("webp, lossy with alpha", files::WEBP_LOSSY_ALPHA.to_vec()),
        ("webp, animated", files::webp_animated()),
        ("gif", files::gif(false)),
        ("gif, looping", files::gif(true)),
        ("mp4, index first", files::mp4(true)),
        ("mp4, index last", files::mp4(false)),
    ]
}

/// Asserts that a file has this note; in ASCII for a GIF.
fn assert_says(bytes: &[u8], note: &Provenance, name: &str) {
    let found = read(bytes).unwrap_or_else(|| panic!("{name}: no note"));
    assert_eq!(found.source, note.source_type.uri(), "{name}");
    assert_eq!(found.source_type(), Some(note.source_type), "{name}");
    assert!(found.is_by_a_model());
    assert_eq!(found.models, note.models, "{name}");
    assert_eq!(found.software.as_ref(), Some(&note.software), "{name}");
    assert_eq!(found.sentence, Some(note.sentence()), "{name}");
}
