//! How errors name a file.

use std::fmt;
use std::path::Path;

use crate::text;

/// Displays a path's last component, as the user chose it.
pub(super) struct Name<'a>(pub(super) &'a Path);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.file_name() {
            Some(name) => f.write_str(&text::path(Path::new(name))),
            None => f.write_str(&text::path(self.0)),
        }
    }
}
