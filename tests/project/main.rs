//! Projects end to end: what is saved comes back, whatever is on the disk gives a sentence, media are found again, and a
//! process that is killed leaves a whole file.

mod damage;
mod embedded;
mod generate;
mod hostile;
mod killed;
mod moved;
mod round_trip;
mod support;
mod version_1;
