//! Motions: adding, choosing, trimming, replacing and baking them; and the column that shows them.

use std::sync::Arc;

use iced::widget::image::Handle;
use iced::widget::{column, container, scrollable, space, text};
use iced::{Element, Length, Subscription, Task};

use crate::app::background::in_background;
use crate::app::motions::WIDTH;
use crate::app::motions::list::{self, NewMotion};
use crate::app::motions::reference::{self, ClipPanelData};
use crate::app::motions::sample_grid::{self, SampleGrid};
use crate::app::strings::common::BAKE;
use crate::app::strings::motions as strings;
use crate::app::strings::sample_grid::NO_TRIM;
use crate::app::widgets::controls::action;
use crate::app::widgets::theme;
use crate::app::{App, Message, Notice, background, timeline};
use crate::document::{
    AuVector, ClipMotion, Expression, Gesture, MediaSource, Motion, MotionId, MotionKind, Playback,
    Pose, Sample, SampledMotion, Track,
};
use crate::drive::clip_analysis::ClipAnalysis;
use crate::drive::clip_driver::ClipDriver;
use crate::drive::driver::Driver;

/// The bundled clip.
const SAMPLE_CLIP: &str = "sample.mp4";

/// Number of frames of a new sample: as many as the published network generates at once.
const SAMPLE_FRAMES: usize = 16;

/// Height of the thumbnail under the playhead, in pixels.
const LOOK_HEIGHT: u32 = 320;

impl App {
    pub(in crate::app) fn handle_motions(&mut self, message: list::Message) -> Task<Message> {
        let action = self.motions.list.update(message);
        self.act_on_motions(action)
    }

    fn act_on_motions(&mut self, action: list::Action) -> Task<Message> {
        match action {
            list::Action::None => {}
            list::Action::Choose(id) => {
                self.history.edit_project(|project| project.choose(id));
            }
            list::Action::Add(kind) => return self.add_motion(kind),
            list::Action::Rename(id, name) => {
                self.history
                    .drag_project(Gesture::Motion(id, "name"), |project| {
                        project.rename(id, &name);
                    });
            }
            list::Action::Focus(id) => {
                return Task::batch([
                    iced::widget::operation::focus(id),
                    iced::widget::operation::select_all(id),
                ]);
            }
            list::Action::Duplicate(id) => {
                self.history.edit_project(|project| project.duplicate(id));
            }
            list::Action::Remove(id) => {
                self.history.edit_project(|project| project.remove(id));
            }
            list::Action::Locate(id) => return self.choose_clip_for(id),
            list::Action::CancelReading(id) => {
                if let Some(motion) = self.history.project().motion(id) {
                    self.drivers.cancel(motion);
                }
                // Removed because a clip without its analysis would be read again at once.
                self.history.edit_project(|project| project.remove(id));
            }
            list::Action::Leave => return self.leave_field(),
        }
        Task::none()
    }

    fn choose_clip_for(&self, id: MotionId) -> Task<Message> {
        Task::perform(background::choose_clip(), move |path| {
            Message::ClipFor(id, path)
        })
    }

    pub(in crate::app) fn add_motion(&mut self, kind: NewMotion) -> Task<Message> {
        let (name, kind) = match kind {
            NewMotion::Track => {
                let rest = Expression {
                    base_pose: Pose::from(self.document().source),
                    strength: 1.0,
                    track: Track::default(),
                };
                (strings::FIRST_TRACK.to_owned(), MotionKind::Track(rest))
            }
            NewMotion::Clip => return Task::perform(background::choose_clip(), Message::AddClip),
            NewMotion::SampleClip => {
                let source = MediaSource::Bundled(SAMPLE_CLIP.to_owned());
                let clip = MotionKind::Clip(ClipMotion::new(source));
                (strings::SAMPLE_CLIP.to_owned(), clip)
            }
            NewMotion::Sample => return self.draw_sample(),
        };
        self.history.edit_project(|project| {
            project.add(&name, kind);
        });
        Task::none()
    }

    /// Draws a sample in the background, because MoCoGAN may have to be opened first.
    fn draw_sample(&self) -> Task<Message> {
        let models = Arc::clone(&self.models);
        in_background(
            move || {
                let sampler = models.sampler().map_err(|error| error.to_string())?;
                let seed = rand::random::<u32>().into();
                let codes = Sample::draw(seed, &sampler.sizes(), SAMPLE_FRAMES, None);
                let codes = codes.map_err(|error| error.to_string())?;
                Ok(Box::new(SampledMotion::new(codes)))
            },
            |result| Message::SampleDrawn(result.unwrap_or_else(|| Err(strings::sample_bug()))),
        )
    }

    /// Adds a drawn sample as a motion.
    pub(in crate::app) fn sample_drawn(&mut self, result: Result<Box<SampledMotion>, String>) {
        match result {
            Ok(sample) => {
                self.history.edit_project(|project| {
                    project.add(strings::FIRST_SAMPLE, MotionKind::Sample(*sample));
                });
            }
            Err(problem) => self.status.notice = Some(Notice::Problem(problem)),
        }
    }

    /// Adds a clip as a motion.
    pub(in crate::app) fn add_clip(&mut self, path: std::path::PathBuf) {
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        let whole = std::path::absolute(&path).unwrap_or(path);
        let clip = ClipMotion::new(MediaSource::File(whole));
        self.history.edit_project(|project| {
            project.add(&name, MotionKind::Clip(clip));
        });
    }

    /// The chosen motion, if it is a clip.
    fn chosen_clip(&self) -> Option<(&Arc<Motion>, &ClipMotion)> {
        let motion = self.project().motion(self.project().chosen())?;
        match &motion.kind {
            MotionKind::Clip(clip) => Some((motion, clip)),
            _ => None,
        }
    }

    /// The chosen motion, if it is a sample.
    fn chosen_sample(&self) -> Option<(MotionId, &SampledMotion)> {
        let motion = self.project().motion(self.project().chosen())?;
        match &motion.kind {
            MotionKind::Sample(sample) => Some((motion.id, sample)),
            _ => None,
        }
    }

    pub(in crate::app) fn handle_reference(
        &mut self,
        message: reference::Message,
    ) -> Task<Message> {
        let Some(id) = self.chosen_clip().map(|(motion, _)| motion.id) else {
            return Task::none();
        };
        let apply = |change: reference::Change| {
            move |kind: &mut MotionKind| {
                if let MotionKind::Clip(clip) = kind {
                    change.apply(clip);
                }
            }
        };
        let action = self.motions.reference.update(message);
        if action.trims() && self.needs_whole(&self.drivers.driver(id)) {
            return Task::none();
        }
        match action {
            reference::Action::None => {}
            reference::Action::Change(change) => {
                self.history
                    .edit_project(|project| project.change_motion(id, apply(change)));
            }
            reference::Action::Drag(name, change) => {
                self.history
                    .drag_project(Gesture::Motion(id, name), |project| {
                        project.change_motion(id, apply(change));
                    });
            }
            reference::Action::EndGesture => self.history.end_gesture(),
            reference::Action::Scrub(step) => {
                let step = u32::try_from(step).unwrap_or(u32::MAX);
                return self.handle(Message::Timeline(timeline::Message::Scrubbed(step)));
            }
            reference::Action::Bake => self.bake(),
            reference::Action::SaveChart => return self.save_score(),
            reference::Action::Replace => return self.choose_clip_for(id),
            reference::Action::Leave => return self.leave_field(),
        }
        Task::none()
    }

    /// Replaces a clip's file; its settings stay.
    pub(in crate::app) fn replace_clip(
        &mut self,
        id: MotionId,
        path: std::path::PathBuf,
    ) -> Task<Message> {
        let whole = std::path::absolute(&path).unwrap_or(path);
        if let Some(motion) = self.history.project().motion(id).cloned() {
            self.drivers.retry(&motion);
        }
        let others = self.search_sibling_clips(id, whole.clone());
        self.history.edit_project(|project| {
            project.change_motion(id, |kind| {
                if let MotionKind::Clip(clip) = kind {
                    clip.source = MediaSource::File(whole);
                }
            });
        });
        others
    }

    /// Turns what is read from the chosen clip or sample into the keyframes of a new expression track.
    pub(in crate::app) fn bake(&mut self) {
        let project = self.history.project();
        let Some(motion) = project.motion(project.chosen()) else {
            return;
        };
        let name = strings::baked(&motion.name);
        let driver = self.drivers.driver(motion.id);
        let Driver::Clip(clip_driver) = &driver else {
            return;
        };
        if self.needs_whole(&driver) {
            return;
        }
        let baked = baked(clip_driver, self.document().source);
        self.history.edit_project(|project| {
            project.add(&name, MotionKind::Track(baked));
        });
    }

    /// Whether `driver` is still being read; if so, tells the artist that all of it is needed.
    pub(in crate::app) fn needs_whole(&mut self, driver: &Driver) -> bool {
        let waits = !driver.is_complete();
        if waits {
            self.status.notice = Some(Notice::Hint(strings::STILL_READING.to_owned()));
        }
        waits
    }

    /// Sets how the chosen clip or sample is played.
    pub(in crate::app) fn play_as(&mut self, playback: Playback) {
        let id = self.project().chosen();
        self.history.edit_project(|project| {
            project.change_motion(id, |kind| match kind {
                MotionKind::Clip(clip) => clip.playback = playback,
                MotionKind::Sample(sample) => sample.playback = playback,
                MotionKind::Track(_) => {}
            });
        });
    }

    /// Trims the chosen clip from one step to another of its current range, or with `None` uses the whole.
    pub(in crate::app) fn trim_to(&mut self, range: Option<(u32, u32)>) {
        let Some((motion, _)) = self.chosen_clip() else {
            self.status.notice = Some(Notice::Hint(NO_TRIM.to_owned()));
            return;
        };
        let id = motion.id;
        let driver = self.drivers.driver(id);
        let Driver::Clip(clip_driver) = &driver else {
            return;
        };
        if range.is_some() && self.needs_whole(&driver) {
            return;
        }
        let times = &clip_driver.analysis.times;
        let (from, to) = match range {
            None => (None, None),
            Some((first, last)) => {
                let (first, last) = (
                    clip_driver.frame_at(first as usize),
                    clip_driver.frame_at(last as usize),
                );
                (
                    times.get(first).copied().filter(|_| first > 0),
                    times.get(last + 1).copied(),
                )
            }
        };
        self.history.edit_project(|project| {
            project.change_motion(id, |kind| {
                if let MotionKind::Clip(clip) = kind {
                    (clip.from, clip.to) = (from, to);
                }
            });
        });
    }

    pub(in crate::app) fn handle_sample_grid(
        &mut self,
        message: sample_grid::Message,
    ) -> Task<Message> {
        let Some((id, sample)) = self
            .chosen_sample()
            .map(|(id, sample)| (id, sample.clone()))
        else {
            return Task::none();
        };
        let apply = |change: sample_grid::change::Change| {
            move |kind: &mut MotionKind| {
                if let MotionKind::Sample(sample) = kind {
                    change.apply(sample);
                }
            }
        };
        match self.motions.grid.update(message, &sample) {
            sample_grid::Action::None => {}
            sample_grid::Action::Change(change) => {
                self.history
                    .edit_project(|project| project.change_motion(id, apply(change)));
            }
            sample_grid::Action::Drag(name, change) => {
                self.history
                    .drag_project(Gesture::Motion(id, name), |project| {
                        project.change_motion(id, apply(change));
                    });
            }
            sample_grid::Action::EndGesture => self.history.end_gesture(),
            sample_grid::Action::Leave => return self.leave_field(),
        }
        Task::none()
    }

    /// Updates the column to match the project; thumbnails are drawn in the background.
    pub(in crate::app) fn follow_motions(&mut self) -> Task<Message> {
        let chosen = self.project().chosen();
        if self.motions.of != Some(chosen) {
            self.motions.of = Some(chosen);
            self.motions.grid.forget();
            self.motions.current = None;
        }
        let looking = self.look_at_frame();
        let sample = self.chosen_sample().map(|(_, sample)| sample.clone());
        let batch = sample.and_then(|sample| self.motions.grid.next_batch(&sample));
        let drawing = batch.map_or_else(Task::none, |batch| {
            sample_grid::previews::draw(Arc::clone(&self.models), batch).map(Message::SampleGrid)
        });
        Task::batch([looking, drawing])
    }

    /// Decodes the clip's frame under the playhead in the background, one at a time.
    fn look_at_frame(&mut self) -> Task<Message> {
        if self.motions.looking.is_some() {
            return Task::none();
        }
        let Some((analysis, frame, digest)) = self.frame_to_look_at() else {
            return Task::none();
        };
        self.motions.looking = Some(digest);
        in_background(
            move || thumbnail(&analysis, frame),
            move |handle| Message::Looked(digest, handle.flatten()),
        )
    }

    /// Like `look_at_frame`, on this thread.
    pub(in crate::app) fn look_now(&mut self) {
        if let Some((analysis, frame, digest)) = self.frame_to_look_at() {
            self.motions.looked(digest, thumbnail(&analysis, frame));
        }
    }

    /// The chosen clip's frame under the playhead and its digest, unless it is cached.
    fn frame_to_look_at(&self) -> Option<(Arc<ClipAnalysis>, usize, u64)> {
        self.chosen_clip().filter(|_| !self.motions.hidden)?;
        let Driver::Clip(clip_driver) = self.drivers.driver(self.project().chosen()) else {
            return None;
        };
        let frame = clip_driver.frame_at(self.timeline.frame() as usize);
        let digest = clip_driver.analysis.source().digest(frame);
        let current = self.motions.current.as_ref();
        let ready = current.is_some_and(|(current, _)| *current == digest);
        (!ready).then(|| (Arc::clone(&clip_driver.analysis), frame, digest))
    }

    pub(in crate::app) fn motions_subscription(&self) -> Option<Subscription<Message>> {
        let seen = !self.motions.hidden || self.motions.grid.is_open();
        let sample = self.chosen_sample().filter(|_| seen);
        sample.map(|(_, sample)| SampleGrid::subscription(sample).map(Message::SampleGrid))
    }

    pub(in crate::app) fn motions_view(&self) -> Element<'_, Message> {
        let project = self.project();
        let states: Vec<_> = project
            .motions()
            .iter()
            .map(|motion| (motion.id, self.drivers.state(motion)))
            .collect();
        let list = self
            .motions
            .list
            .view(project, &states)
            .map(Message::Motions);
        let content = column![list, self.controls()].spacing(theme::SPACE);
        container(
            scrollable(container(content).padding([10.0, theme::SPACE]))
                .style(theme::scroll)
                .height(Length::Fill),
        )
        .width(WIDTH)
        .height(Length::Fill)
        .style(theme::panel)
        .into()
    }

    /// The sample grid of the chosen sample, if it is open.
    pub(in crate::app) fn sample_grid_view(&self) -> Option<Element<'_, Message>> {
        let (_, sample) = self.chosen_sample()?;
        let open = self.motions.grid.is_open();
        open.then(|| self.motions.grid.dialog(sample).map(Message::SampleGrid))
    }

    /// The controls of the chosen motion.
    fn controls(&self) -> Element<'_, Message> {
        if let Some((_, sample)) = self.chosen_sample() {
            let grid = self.motions.grid.view(sample).map(Message::SampleGrid);
            let bake = action(BAKE, Some(Message::Bake));
            return column![grid, bake].spacing(theme::SPACE).into();
        }
        if let Some((motion, clip)) = self.chosen_clip() {
            return match self.drivers.driver(motion.id) {
                Driver::Clip(clip_driver) => self.clip_controls(motion, clip, &clip_driver),
                _ => text(strings::WHILE_READING)
                    .size(theme::SMALL)
                    .style(theme::dim)
                    .into(),
            };
        }
        column![
            text(strings::ABOUT_TRACK)
                .size(theme::SMALL)
                .style(theme::dim),
            space::vertical().height(theme::GAP),
            text(strings::ABOUT_MOTIONS)
                .size(theme::SMALL)
                .style(theme::dim),
        ]
        .into()
    }

    fn clip_controls<'a>(
        &'a self,
        motion: &'a Motion,
        clip: &'a ClipMotion,
        clip_driver: &ClipDriver,
    ) -> Element<'a, Message> {
        let (thumbs, scores) = self.drivers.filmstrip(motion);
        let current = self.motions.current.as_ref();
        let current = current.and_then(|(_, handle)| handle.clone());
        let Some(analysis) = self.drivers.analysis(motion) else {
            return space().into();
        };
        let known = ClipPanelData {
            name: &motion.name,
            fps: clip_driver.fps(),
            frames: analysis.frames(),
            times: &analysis.times,
            thumbs,
            scores,
            reference: clip_driver.reference,
            poses: self.drivers.poses(motion.id),
            first: clip_driver.first,
            last: clip_driver.last,
            step: clip_driver
                .frame_at(self.timeline.frame() as usize)
                .saturating_sub(clip_driver.first),
            read_error: analysis.read_error.as_deref(),
            current,
            square: clip_driver
                .base(self.models.crop_rule(), clip_driver.reference)
                .ok(),
            clip_size: analysis.size,
        };
        self.motions
            .reference
            .view(clip, &known)
            .map(Message::Reference)
    }
}

/// A thumbnail of a clip's frame.
fn thumbnail(analysis: &ClipAnalysis, frame: usize) -> Option<Handle> {
    let picture = analysis.thumbnail(frame, LOOK_HEIGHT)?;
    let (width, height) = picture.size();
    Some(Handle::from_rgba(width, height, picture.into_rgba()))
}

/// Turns what is read from a clip or a sample into keyframes.
fn baked(clip_driver: &ClipDriver, source: AuVector) -> Expression {
    let mut track = Track::default();
    track.set_movement(clip_driver.fps(), clip_driver.poses());
    track.playback = clip_driver.playback();
    Expression {
        base_pose: Pose::from(source),
        strength: 1.0,
        track,
    }
}
