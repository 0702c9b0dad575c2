//! Project files of version 1: plain JSON, with embedded media as base64 strings in its field `embedded`, keyed by digest.
//!
//! The JSON is parsed as a stream that skips the media, so at most one medium is in memory.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use base64::prelude::BASE64_STANDARD;
use base64::read::DecoderReader;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::error::EngineError;
use crate::media::error::MediaError;
use crate::project::file::container::{Container, ContentReader};
use crate::project::file::index::Content;

/// UTF-8 byte order mark, written by some editors on Windows.
const BYTE_ORDER_MARK: [u8; 3] = *b"\xef\xbb\xbf";

/// A JSON project file that is open for reading.
pub(crate) struct JsonFile {
    path: PathBuf,
    file: File,
}

impl JsonFile {
    pub fn new(path: &Path, file: File) -> Self {
        Self {
            path: path.to_owned(),
            file,
        }
    }
}

impl Container for JsonFile {
    fn json(&mut self) -> Result<Box<dyn Read + '_>, EngineError> {
        let fail = |e| MediaError::reading(&self.path, e);
        self.file.rewind().map_err(fail)?;
        let mut start = Vec::new();
        let mut head = (&mut self.file).take(BYTE_ORDER_MARK.len() as u64);
        head.read_to_end(&mut start).map_err(fail)?;
        if start != BYTE_ORDER_MARK {
            self.file.seek(SeekFrom::Start(0)).map_err(fail)?;
        }
        Ok(Box::new(&mut self.file))
    }

    fn medium(
        &mut self,
        _: &str,
        content: &Content,
        take: ContentReader<'_>,
    ) -> Result<bool, EngineError> {
        let mut taken = None;
        let found = Text {
            path: &["embedded", &content.sha256],
            take: &mut |text| {
                let mut decoded = DecoderReader::new(text.as_bytes(), &BASE64_STANDARD);
                taken.get_or_insert_with(|| take(&mut decoded));
            },
        };
        let json = BufReader::new(self.json()?);
        // The JSON was parsed before, so it is valid; a field of another type isn't a medium.
        let _ = found.deserialize(&mut serde_json::Deserializer::from_reader(json));
        taken.transpose().map(|taken| taken.is_some())
    }
}

/// Finds the string at a path of field names and skips everything else.
struct Text<'a> {
    path: &'a [&'a str],
    take: &'a mut dyn FnMut(&str),
}

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        if self.path.is_empty() {
            from.deserialize_str(self)
        } else {
            from.deserialize_map(self)
        }
    }
}

impl<'de> Visitor<'de> for Text<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an embedded medium")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (first, rest) = self
            .path
            .split_first()
            .ok_or_else(|| A::Error::custom("a map in place of a text"))?;
        while let Some(name) = map.next_key::<String>()? {
            if name == *first {
                let take = &mut *self.take;
                map.next_value_seed(Text { path: rest, take })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        (self.take)(text);
        Ok(())
    }
}
