//! Projects end to end: saving and opening, errors in one sentence for damaged files, media that moved, and complete
//! files even if the process is killed.

mod damage;
mod embedded;
mod generate;
mod hostile;
mod killed;
mod moved;
mod round_trip;
mod support;
mod version_1;
