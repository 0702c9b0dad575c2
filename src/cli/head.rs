//! The options that turn, move and scale the head and move the eyes.

use clap::Args;

use super::values::{gaze, head_angle, head_size, place};
use crate::document::{Gaze, HeadPlace, HeadTurn, Pose};

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

    /// Moves the head to the picture's right and up, in percent of the face's width (ear to ear), each from -50 to 50.
    /// What lies around is stretched, so it moves no farther than the picture has room
    #[arg(long, default_value = "0,0", value_name = "X,Y", allow_hyphen_values = true, value_parser = place)]
    place: (f32, f32),

    /// How large the head is, in percent of its size in the portrait, from 70 to 140
    #[arg(long, default_value = "100", value_name = "P", allow_hyphen_values = true, value_parser = head_size)]
    size: f32,
}

impl HeadArgs {
    /// The expression with this head pose, gaze, place and size.
    pub fn turned(&self, pose: Pose) -> Pose {
        Pose {
            head: HeadTurn::new(self.yaw, self.pitch, self.roll),
            gaze: self.gaze,
            place: HeadPlace::new(self.place.0, self.place.1, self.size),
            ..pose
        }
    }
}
