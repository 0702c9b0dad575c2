//! What a note says.

/// How a picture came to be, in the words of IPTC's list of digital source types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceType {
    /// A portrait that a model edited: part of what is seen is the network's.
    CompositeWithTrainedAlgorithmicMedia,
    /// All of what is seen comes out of a model, as a sample does.
    TrainedAlgorithmicMedia,
}

impl SourceType {
    /// The term, as XMP spells it. It is a name, not an address: it stays `http`.
    pub fn uri(self) -> &'static str {
        match self {
            Self::CompositeWithTrainedAlgorithmicMedia => {
                "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
            }
            Self::TrainedAlgorithmicMedia => {
                "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
            }
        }
    }

    /// What was done, as a sentence begins.
    fn verb(self) -> &'static str {
        match self {
            Self::CompositeWithTrainedAlgorithmicMedia => "Edited",
            Self::TrainedAlgorithmicMedia => "Generated",
        }
    }

    /// What was done, in the words of XMP's history.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::CompositeWithTrainedAlgorithmicMedia => "edited",
            Self::TrainedAlgorithmicMedia => "created",
        }
    }
}

/// What a file of ours says about its making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The program and its version, such as "Mien 0.1.0".
    pub software: String,
    /// Names of the models whose output is seen, such as "ganimation-128".
    pub models: Vec<String>,
    /// How the picture came to be.
    pub source_type: SourceType,
}

impl Provenance {
    /// A note of this version of Mien.
    pub fn new(models: Vec<String>, source_type: SourceType) -> Self {
        Self {
            software: concat!("Mien ", env!("CARGO_PKG_VERSION")).to_owned(),
            models,
            source_type,
        }
    }

    /// What people read: "Edited with Mien 0.1.0 (ganimation-128)", without a full stop.
    pub fn sentence(&self) -> String {
        let start = format!("{} with {}", self.source_type.verb(), self.software);
        if self.models.is_empty() {
            start
        } else {
            format!("{start} ({})", self.models.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        let mut note = Provenance {
            software: "Mien 1.2.3".into(),
            models: vec!["ganimation-128".into(), "fomm-256".into()],
            source_type: SourceType::CompositeWithTrainedAlgorithmicMedia,
        };
        assert_eq!(
            note.sentence(),
            "Edited with Mien 1.2.3 (ganimation-128, fomm-256)"
        );
        note.models.clear();
        note.source_type = SourceType::TrainedAlgorithmicMedia;
        assert_eq!(note.sentence(), "Generated with Mien 1.2.3");
    }
}
