//! Clips that only ffmpeg opens.

use mien::media::clip::Clip;

use crate::common::alone_without_programs;
use crate::common::clips::{FOREIGN, fixture};

#[test]
fn without_ffmpeg_other_codecs_are_refused_by_name() {
    if !alone_without_programs(
        module_path!(),
        "without_ffmpeg_other_codecs_are_refused_by_name",
    ) {
        return;
    }
    for (name, codec) in FOREIGN {
        assert_eq!(
            Clip::open(&fixture(name)).err().unwrap().to_string(),
            format!(
                "{name} is {codec}, which Mien needs ffmpeg to open, and ffmpeg isn't installed; \
                 install it or save the clip again as an MP4 with H.264."
            )
        );
    }
}
