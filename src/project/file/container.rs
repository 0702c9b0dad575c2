//! The formats that a project is read from.

use std::io::Read;

use crate::error::EngineError;
use crate::project::file::index::Content;

/// Receives a medium's content.
pub(crate) type ContentReader<'a> = &'a mut dyn FnMut(&mut dyn Read) -> Result<(), EngineError>;

/// A file that contains a project: its JSON, and the media embedded in it.
pub(crate) trait Container {
    /// The JSON, from its start.
    fn json(&mut self) -> Result<Box<dyn Read + '_>, EngineError>;

    /// Passes an embedded medium to `take`; returns false if no medium has this key and content.
    fn medium(
        &mut self,
        key: &str,
        content: &Content,
        take: ContentReader<'_>,
    ) -> Result<bool, EngineError>;
}
