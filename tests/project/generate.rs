//! Random projects of every kind.

use std::path::Path;

use mien::document::{
    ActionUnit, AuVector, ClipMotion, Crop, ExportSettings, ExportWhat, Expression, FacePart,
    FileFormat, Follow, Gaze, Glasses, HeadPlace, HeadTurn, Limit, MediaSource, MotionKind,
    PaneSpec, Playback, Pose, Project, Sample, SampleSizes, SampledMotion, SeededSample, Sides,
};
use mien::methods::registry::Registry;
use proptest::prelude::*;

use crate::support::{document, file};

prop_compose! {
    fn vectors()(values in prop::array::uniform17(prop_oneof![Just(0.0f32), 0f32..=1.0])) -> AuVector {
        AuVector::from(values)
    }
}

prop_compose! {
    /// Values requested by the artist, which may exceed the range.
    fn action_units()(values in prop::array::uniform17(prop_oneof![Just(0.0f32), -0.5f32..=1.5])) -> AuVector {
        let units = ActionUnit::ALL.into_iter().zip(values);
        units.fold(AuVector::NEUTRAL, |aus, (unit, value)| aus.with(unit, value))
    }
}

prop_compose! {
    fn poses()(
        left in action_units(), right in action_units(),
        turn in prop_oneof![Just([0f32; 5]), prop::array::uniform5(-30f32..30.0)],
        place in prop_oneof![Just([0f32, 0.0, 100.0]), prop::array::uniform3(-60f32..150.0)],
    ) -> Pose {
        Pose {
            left,
            right,
            head: HeadTurn::new(turn[0], turn[1], turn[2]),
            gaze: Gaze::new(turn[3], turn[4]),
            place: HeadPlace::new(place[0], place[1], place[2]),
        }
    }
}

fn playbacks() -> impl Strategy<Value = Playback> {
    prop::sample::select(Playback::ALL.to_vec())
}

prop_compose! {
    fn expressions()(
        still in poses().boxed(), strength in 0f32..=1.0, fps in 1f64..=120.0, frames in 2u32..2000,
        keys in prop::collection::vec((0u32..2000, poses().boxed()), 0..8).boxed(), playback in playbacks(),
    ) -> Expression {
        let mut document = document(file("/nowhere.png"));
        document.base_pose = still;
        document.strength = strength;
        document.track.set_fps(fps);
        document.track.set_frames(frames);
        document.track.playback = playback;
        for (frame, pose) in keys {
            document.track.set_key(frame, pose);
        }
        Expression::of(&document)
    }
}

prop_compose! {
    fn follows()(
        strength in 0f32..=2.0, gains in prop::array::uniform5(0f32..=2.0),
        locks in any::<(bool, bool, bool)>(), smooth in (0f32..=1.0, 0f32..=1.0),
        own in any::<Option<bool>>(), reference in any::<Option<u32>>(),
    ) -> Follow {
        Follow {
            strength,
            gains,
            lock_place: locks.0,
            lock_scale: locks.1,
            relative: locks.2,
            smoothing_strength: smooth.0,
            responsiveness: smooth.1,
            use_baseline: own,
            reference,
        }
    }
}

fn sources() -> impl Strategy<Value = MediaSource> {
    let names = "[a-zé ]{1,6}/[A-Za-z0-9%_\\\\\" ]{1,9}\\.(mp4|gif|png)";
    prop_oneof![
        Just(MediaSource::Bundled("sample.mp4".to_owned())),
        names.prop_map(|name| file(Path::new("/far away").join(name))),
        names.prop_map(file),
    ]
}

prop_compose! {
    fn clips()(
        source in sources(), from in any::<Option<f64>>(), to in prop::option::of(0f64..1e6),
        square in prop::option::of((0f32..99.0, 0f32..99.0, 8f32..99.0, -3f32..3.0)),
        follow in follows(), playback in playbacks(),
    ) -> ClipMotion {
        ClipMotion {
            from: from.filter(|from| from.is_finite()).map(f64::abs),
            to,
            square: square.map(|(x, y, side, angle)| Crop { x, y, side, angle }),
            follow,
            playback,
            ..ClipMotion::new(source)
        }
    }
}

prop_compose! {
    fn samples()(seed in any::<u64>(), frames in 1usize..20, categories in 0usize..7) -> Sample {
        let sizes = SampleSizes { categories, ..SampleSizes::default() };
        Sample::draw(seed, &sizes, frames, None).unwrap()
    }
}

prop_compose! {
    fn drawn()(codes in samples().boxed(), content_seed in any::<u64>()) -> SeededSample {
        SeededSample { codes, content_seed }
    }
}

prop_compose! {
    fn sampled()(
        codes in samples().boxed(), towards in prop::option::of(drawn()).boxed(), way in 0f32..=1.0,
        favourites in prop::collection::vec(drawn(), 0..3), fps in 1f64..=120.0,
        content_seed in any::<u64>(), holds in any::<(bool, bool)>(), follow in follows(),
        playback in playbacks(),
    ) -> SampledMotion {
        SampledMotion {
            content_seed,
            hold_content: holds.0,
            hold_motion: holds.1,
            fps,
            towards: towards.map(Box::new),
            blend_weight: way,
            favourites,
            follow,
            playback,
            ..SampledMotion::new(codes)
        }
    }
}

fn kinds() -> impl Strategy<Value = MotionKind> {
    prop_oneof![
        expressions().prop_map(MotionKind::Track).boxed(),
        clips().prop_map(MotionKind::Clip).boxed(),
        sampled().prop_map(MotionKind::Sample).boxed(),
    ]
}

fn panes() -> impl Strategy<Value = (usize, usize, Option<usize>)> {
    (any::<usize>(), any::<usize>(), any::<Option<usize>>())
}

prop_compose! {
    fn exports()(
        format in prop::sample::select(vec![FileFormat::Png, FileFormat::Gif, FileFormat::Webp, FileFormat::PngSequence]),
        what in prop_oneof![Just(ExportWhat::Grid), Just(ExportWhat::Result), (0usize..9).prop_map(ExportWhat::Pane)],
        flags in any::<(bool, bool)>(), range in prop::option::of((0u32..50, 51u32..99)),
        fps in prop::option::of(0.01f64..=120.0), scale in 0.01f64..=1.0, quality in prop::option::of(1u8..=100), loops in any::<u32>(),
    ) -> ExportSettings {
        ExportSettings { format, what, labels: flags.0, range, fps, scale, quality, loops, marked: flags.1 }
    }
}

prop_compose! {
    pub fn projects()(
        source in sources().boxed(), first in expressions().boxed(), own in vectors().boxed(), face in any::<Option<usize>>(),
        crop in (-900f32..900.0, -900f32..900.0, 0f32..900.0, prop_oneof![Just(0f32), -3f32..3.0]),
        flags in any::<(bool, bool)>(), parts in any::<[bool; 5]>(), half in 0usize..3,
        kinds in prop::collection::vec((".{0,12}", kinds()), 0..5).boxed(), remove in any::<Option<usize>>(),
        choose in any::<usize>(), panes in prop::collection::vec(panes(), 0..7).boxed(), export in exports().boxed(),
        folds in prop::option::of(0f32..=1.0),
        glasses in prop::sample::select(Glasses::ALL.to_vec()),
        landmarks in prop::collection::vec((0u16..478, prop::array::uniform2(-0.6f32..0.6)), 0..4),
    ) -> Project {
        let mut document = document(source);
        let crop = Crop { x: crop.0, y: crop.1, side: crop.2, angle: crop.3 };
        document.crop = crop.fitted(640, 480);
        document.source = own;
        document.face = face;
        document.detail = flags.0;
        document.set_folds(folds);
        document.glasses = glasses;
        for (landmark, offset) in landmarks {
            document.landmarks.set(landmark, offset);
        }
        for (part, on) in FacePart::ALL.into_iter().zip(parts) {
            if on {
                document.limit = document.limit.toggled(part);
            }
        }
        document.limit = document.limit.on(Sides::ALL[half]);
        if document.limit.is_none() {
            document.limit = Limit::NONE;
        }
        first.put_into(&mut document);
        let mut project = Project::new(document);
        for (name, kind) in kinds {
            project.add(&name, kind);
        }
        let id = |project: &Project, at: usize| {
            project.motions()[at % project.motions().len()].id
        };
        if let Some(at) = remove {
            project.remove(id(&project, at));
        }
        project.choose(id(&project, choose));
        let registry = Registry::default();
        let choices = registry.choices();
        let panes = panes.into_iter().map(|(method, view, motion)| {
            let method = choices[method % choices.len()];
            let views = registry.views(method);
            PaneSpec {
                motion: motion.map(|at| id(&project, at)),
                ..PaneSpec::showing(method, views[view % views.len()])
            }
        });
        project.set_panes(panes.collect());
        project.set_export(export);
        project.set_labels(flags.1);
        project.set_holds_media(flags.0);
        project
    }
}
