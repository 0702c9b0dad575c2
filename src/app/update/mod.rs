//! How the window handles the actions that panels return: changes the document, opens files and starts background work.

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
