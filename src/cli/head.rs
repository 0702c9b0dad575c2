//! The options that turn the head and move the eyes.

use clap::Args;

use super::values::{gaze, head_angle};
use crate::document::{Gaze, HeadTurn, Pose};

#[derive(Debug, Args)]
pub(super) struct HeadArgs {
    /// Turn the head to the picture's right, in degrees from -20 to 20 relative to the portrait
    #[arg(long, default_value = "0", value_name = "D", allow_hyphen_values = true, value_parser = head_angle)]
    yaw: f32,

    /// Tilt the head down, in degrees from -20 to 20
    #[arg(long, default_value = "0", value_name = "D", allow_hyphen_values = true, value_parser = head_angle)]
    pitch: f32,

    /// Tilt the head sideways, clockwise as seen, in degrees from -20 to 20
    #[arg(long, default_value = "0", value_name = "D", allow_hyphen_values = true, value_parser = head_angle)]
    roll: f32,

    /// Turn the eyes to the picture's right and up, in degrees from -25 to 25 relative to the portrait
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
