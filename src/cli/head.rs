//! The options that turn the head and move the eyes.

use clap::Args;

use super::values::{gaze, head_angle};
use crate::document::{Gaze, HeadTurn, Pose};

#[derive(Debug, Args)]
pub(super) struct HeadArgs {
    /// Turns the head to the picture's right, in degrees from -20 to 20; 0 leaves it as the portrait has it
    #[arg(long, default_value = "0", value_name = "D", allow_hyphen_values = true, value_parser = head_angle)]
    yaw: f32,

    /// Nods it down, in degrees from -20 to 20
    #[arg(long, default_value = "0", value_name = "D", allow_hyphen_values = true, value_parser = head_angle)]
    pitch: f32,

    /// Tilts it clockwise as seen, in degrees from -20 to 20
    #[arg(long, default_value = "0", value_name = "D", allow_hyphen_values = true, value_parser = head_angle)]
    roll: f32,

    /// Where the eyes look, in degrees from -25 to 25 to the picture's right and up of where the portrait looks
    #[arg(long, default_value = "0,0", value_name = "X,Y", allow_hyphen_values = true, value_parser = gaze)]
    gaze: Gaze,
}

impl HeadArgs {
    /// The expression with this head pose and gaze.
    pub fn turned(&self, pose: Pose) -> Pose {
        Pose {
            head: HeadTurn::new(self.yaw, self.pitch, self.roll),
            gaze: self.gaze,
            ..pose
        }
    }
}
