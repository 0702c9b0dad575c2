//! What the whole window does about each panel's messages: panels ask by their actions, and here the document is changed,
//! files are opened and work is begun.

pub mod charts;
mod exporting;
mod faces;
mod measuring;
mod motions;
mod opening;
pub mod presets;
mod projects;
mod saving;
pub mod weights;

#[cfg(test)]
mod tests;
