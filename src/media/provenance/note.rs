//! What a note says, and what is read of one.

/// How a picture came to be, in the words of IPTC's list of digital source types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceType {
    /// A portrait that a model edited: part of what is seen is the network's.
    CompositeWithTrainedAlgorithmicMedia,
    /// All of what is seen comes out of a model, as a sample does.
    TrainedAlgorithmicMedia,
}

/// What IPTC's terms begin with. It is a name and no address: it stays `http`.
const LIST: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/";

impl SourceType {
    const ALL: [Self; 2] = [
        Self::CompositeWithTrainedAlgorithmicMedia,
        Self::TrainedAlgorithmicMedia,
    ];

    /// The term, as XMP spells it.
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
    /// The program and its version, such as "Mien 0.1.0". [`super::read`] finds the models only of software so named, and in a
    /// GIF only where neither it nor they have brackets.
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

/// What a file says about its making, whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// IPTC's term for how it came to be, as the file spells it.
    pub source: String,
    /// The models that it names, as far as it does so in the way that Mien does.
    pub models: Vec<String>,
    /// The program.
    pub software: Option<String>,
    /// What it tells people.
    pub sentence: Option<String>,
}

impl Found {
    /// The source type, if it is one of those that Mien writes.
    pub fn source_type(&self) -> Option<SourceType> {
        let term = self.term()?;
        SourceType::ALL
            .into_iter()
            .find(|kind| kind.uri().strip_prefix(LIST) == Some(term))
    }

    /// Whether a trained model had a hand in it: the two terms above and no other of IPTC's, which are for photographs,
    /// drawings, scans and algorithms without training.
    pub fn is_by_a_model(&self) -> bool {
        self.source_type().is_some()
    }

    /// The end of IPTC's term, behind the list's name or one of its usual variants.
    fn term(&self) -> Option<&str> {
        let source = self.source.trim();
        let short = source
            .strip_prefix(LIST)
            .or_else(|| {
                let rest = source.strip_prefix("https")?;
                rest.strip_prefix(LIST.strip_prefix("http")?)
            })
            .or_else(|| source.strip_prefix("digsrctype:"))?;
        Some(short.trim_end_matches('/'))
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

    #[test]
    fn variants_of_the_terms_are_understood() {
        let by = |source: &str| {
            Found {
                source: source.into(),
                models: Vec::new(),
                software: None,
                sentence: None,
            }
            .source_type()
        };
        for kind in SourceType::ALL {
            assert_eq!(by(kind.uri()), Some(kind));
            assert_eq!(by(&kind.uri().replace("http:", "https:")), Some(kind));
            assert_eq!(by(&format!(" {}/\n", kind.uri())), Some(kind));
            assert_eq!(by(&kind.uri().replace(LIST, "digsrctype:")), Some(kind));
        }
        for other in [
            "",
            "trained",
            "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
            "http://example.com/trainedAlgorithmicMedia",
        ] {
            assert_eq!(by(other), None, "{other}");
        }
    }
}
