//! The iced application. No other module depends on iced.
//!
//! Each panel has its own state, messages and view, and returns an `Action` that names the change to the document it
//! wants. Only [`App`] changes the document, so every change can be undone.

mod background;
pub(crate) mod export;
mod expression;
mod keys;
pub mod launch;
mod motions;
mod panes;
mod projects;
#[cfg(test)]
mod snapshots;
mod strings;
mod timeline;
mod update;
mod view;
mod weights;
mod widgets;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::widget::image::Handle;
use iced::{Task, keyboard};

use crate::document::{
    Document, Expression, Gesture, History, MotionId, MotionKind, Playback, Preset, Project,
    SampledMotion,
};
use crate::error::EngineError;
use crate::face::found::FoundFace;
use crate::face::portrait::{Portrait, Sample};
use crate::folders::presets_folder;
use crate::jobs::charts::Charts;
use crate::methods::models::Models;
use crate::methods::subject;
use crate::project::file::ProjectFile;
use crate::render::composition::Composition;
use crate::render::request::Request;
use crate::render::worker::Worker;
use crate::weights::Bundled;

use background::{Target, in_background};
use export::Export;
use export::queue::{self, Queue};
use expression::{Expression as Sliders, presets};
use motions::drivers::{self, Drivers};
use motions::{MotionsPanel, list, reference, sample_grid};
use panes::Panes;
use projects::Projects;
use strings::top_bar;
use timeline::Timeline;
use timeline::measuring::{self, Measuring};
use timeline::subject::TimelineSource;
use update::charts::save_chart;
use update::presets::{read_preset, store_preset};
use weights::card::{self, Cards};

pub use expression::{Value, field_id, slider_id};
pub use timeline::edge::EDGE;
pub use timeline::sheet::{SHEET, plot as timeline_plot};
pub use widgets::slider::place_of as slider_place;

/// Bytes of portrait pixels held for undo.
const PORTRAIT_BYTES: usize = 1 << 30;

/// The whole window.
pub struct App {
    history: History,
    /// Every portrait that undo can return to, with its pixels and faces.
    portraits: HashMap<u64, Arc<Portrait>>,
    /// The next portrait id. Ids are never reused: the worker assumes that equal ids mean equal pixels.
    next_portrait: u64,
    models: Arc<Models>,
    worker: Worker,
    drivers: Drivers,
    /// For each step of the timeline, whether its pictures are rendered.
    rendered: Vec<bool>,
    /// The last request sent to the worker.
    asked: Option<Request>,
    asked_serial: u64,
    expression: Sliders,
    panes: Panes,
    timeline: Timeline,
    export: Option<Export>,
    queue: Queue,
    motions: MotionsPanel,
    measuring: Measuring,
    projects: Projects,
    cards: Option<Cards>,
    /// The relaxed face that other pictures of the person can be read against.
    neutral: Option<NeutralFace>,
    /// The fold strength measured from the skin of a face, and the portrait and face it was measured on.
    measured_folds: Option<((u64, Option<usize>), f32)>,
    status: Status,
    /// Whether a portrait is being opened.
    opening: bool,
}

/// A person's relaxed face, to read other pictures of them against.
#[derive(Debug)]
struct NeutralFace {
    /// Tooltip of the button that reads a face against this one.
    hint: String,
    of: (u64, Option<usize>),
    face: Arc<FoundFace>,
}

/// What the status line shows.
#[derive(Debug, Default)]
struct Status {
    notice: Option<Notice>,
    /// Milliseconds per frame.
    millis: Option<f32>,
    /// The mean of 1 - A, in 0..=1, where A is the network's attention mask.
    edited: f32,
}

#[derive(Debug, Clone, PartialEq)]
enum Notice {
    Hint(String),
    Problem(String),
}

/// Everything that changes the window's state: one variant per panel, and those that concern several.
#[derive(Debug, Clone)]
pub enum Message {
    /// From the sliders.
    Expression(expression::Message),
    /// From the panes.
    Panes(panes::Message),
    /// From the timeline.
    Timeline(timeline::Message),
    /// From the export dialog.
    Export(export::Message),
    /// From the queue of exports.
    Queue(queue::Message),
    /// A file was chosen for a chart.
    ChartTo(Arc<Charts>, Option<Target>),
    /// A chart was written to this file, or why it was not.
    ChartSaved(PathBuf, Result<(), String>),
    /// From the list of motions.
    Motions(list::Message),
    /// From the reference clip's panel.
    Reference(reference::Message),
    /// From the sample grid.
    SampleGrid(sample_grid::Message),
    /// A clip was chosen to be added as a motion.
    AddClip(Option<PathBuf>),
    /// A clip was chosen to replace a motion's clip.
    ClipFor(MotionId, Option<PathBuf>),
    /// Turn what is read from the chosen motion into keyframes.
    Bake,
    /// What a measurement of the panes has to report.
    Measured(measuring::Watch),
    /// The artist's presets were changed on the disk, or the change failed.
    PresetStored(Result<presets::Change, String>),
    /// The right column was hidden or shown.
    MotionsToggled,
    /// From the model cards.
    Card(card::Message),
    /// A preset that was dropped has been read.
    PresetRead(Result<Preset, String>),
    /// A sample was drawn to be added as a motion.
    SampleDrawn(Result<Box<SampledMotion>, String>),
    /// A thumbnail of the clip's frame under the playhead, with the digest of the frame's pixels.
    Looked(u64, Option<Handle>),
    /// Other weights for a method were opened.
    Weights(Bundled, String, Result<Arc<Models>, String>),
    /// From the project menu and its dialogs.
    Project(projects::Message),
    /// From the clips and samples that are being analysed.
    Drivers(drivers::Message),
    /// The worker has drawn something.
    Drawn,
    /// Choose a file to open.
    OpenDialog,
    /// Open a bundled portrait, by its index.
    OpenSample(usize),
    /// A file was chosen or dropped.
    OpenFile(Option<PathBuf>),
    /// A portrait was read, or why it was not.
    Opened(Result<Arc<Portrait>, String>),
    /// Open the export dialog.
    ExportDialog,
    /// Open the model cards.
    CardDialog,
    /// Undo the last change.
    Undo,
    /// Redo the change that was undone last.
    Redo,
    /// A key was pressed or released.
    Keyboard(keyboard::Event),
    /// The window's scale factor changed.
    Scaled(f32),
    /// The notice in the status line was closed.
    NoticeClosed,
}

impl App {
    /// Creates a window on a portrait that `worker` draws.
    pub fn new(models: Arc<Models>, worker: Worker, portrait: Arc<Portrait>) -> Self {
        let (mut presets, mut problems) = (Vec::new(), Vec::new());
        if let Some(folder) = presets_folder() {
            (presets, problems) = Preset::in_folder(&folder);
        }
        let built_in = Preset::built_in().unwrap_or_default();
        let history = History::new(portrait.document(0));
        let mut app = Self {
            projects: Projects::new(history.project()),
            history,
            portraits: HashMap::from([(0, portrait)]),
            next_portrait: 1,
            models,
            worker,
            drivers: Drivers::default(),
            rendered: Vec::new(),
            asked: None,
            asked_serial: 0,
            timeline: Timeline::new(built_in.iter().chain(&presets).cloned().collect()),
            expression: Sliders::new(built_in, presets),
            panes: Panes::default(),
            export: None,
            queue: Queue::default(),
            motions: MotionsPanel::default(),
            measuring: Measuring::default(),
            cards: None,
            neutral: None,
            measured_folds: None,
            status: Status::default(),
            opening: false,
        };
        if let Some(problem) = problems.pop() {
            app.status.notice = Some(Notice::Problem(problem.to_string()));
        }
        // A new project has no motions to read.
        drop(app.prepare());
        app.ask();
        app
    }

    /// Returns the current project.
    pub fn project(&self) -> &Project {
        self.history.project()
    }

    /// Returns the current document.
    pub fn document(&self) -> &Document {
        self.history.document()
    }

    /// Whether the panes show the latest request.
    pub fn is_settled(&self) -> bool {
        self.panes.serial() == self.asked_serial
    }

    /// Finishes reading the project's motions on this thread, then requests the picture.
    pub fn read_now(&mut self) {
        self.drivers.read_now(self.history.project(), &self.models);
        drop(self.update(Message::Drivers(drivers::Message::Watched)));
        self.look_now();
    }

    /// Returns the worker that draws the panes.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// Handles a message; if it changed what the panes show, sends the worker a new request.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        let task = self.handle(message);
        let reading = self.prepare();
        self.timeline.follow(subject(&self.history, &self.drivers));
        self.timeline.reading = self.reading();
        self.timeline.reach = self.expression.reach();
        let drawing = self.follow_motions();
        self.ask();
        Task::batch([task, reading, drawing])
    }

    /// Prepares the project's motions; those that must be read first are read in the background.
    fn prepare(&mut self) -> Task<Message> {
        let project = self.history.project();
        let task = self.drivers.follow(project, &self.models);
        let face = self.faces().1;
        self.drivers
            .prepare(self.history.project(), face.as_deref());
        task.map(Message::Drivers)
    }

    /// How much of the chosen motion has been read, in words; `None` once it is complete.
    fn reading(&self) -> Option<String> {
        let motion = self.project().motion(self.project().chosen())?;
        self.drivers.progress(motion).map(list::reading)
    }

    fn handle(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Expression(message) => return self.handle_expression(message),
            Message::Project(message) => return self.handle_project(message),
            Message::Drivers(message) => self.drivers.update(message),
            Message::Panes(message) => {
                match self
                    .panes
                    .update(message, self.history.project(), self.models.registry())
                {
                    panes::Action::None => {}
                    panes::Action::Crop(crop) => {
                        self.history
                            .drag(Gesture::Crop, |document| document.crop = crop);
                    }
                    panes::Action::Face(index) => self.pick_face(index),
                    panes::Action::Level(level) => self.level(level),
                    panes::Action::MoveLandmark(landmark, place) => {
                        self.move_landmark(landmark, place);
                    }
                    panes::Action::ResetLandmarks(landmark) => self.reset_landmarks(landmark),
                    panes::Action::Panes(panes) => {
                        self.history
                            .edit_project(|project| project.set_panes(panes));
                    }
                    panes::Action::EndGesture => self.history.end_gesture(),
                }
            }
            Message::Timeline(message) => return self.handle_timeline(message),
            Message::Motions(message) => return self.handle_motions(message),
            Message::Reference(message) => return self.handle_reference(message),
            Message::SampleGrid(message) => return self.handle_sample_grid(message),
            Message::AddClip(Some(path)) => self.add_clip(path),
            Message::AddClip(None) => {
                self.status.notice = Some(Notice::Hint(top_bar::NO_CLIP_CHOSEN.to_owned()));
            }
            Message::ClipFor(id, Some(path)) => return self.replace_clip(id, path),
            Message::ClipFor(_, None) => {}
            Message::Bake => self.bake(),
            Message::Measured(watch) => self.handle_measured(watch),
            Message::PresetStored(result) => self.preset_stored(result),
            Message::MotionsToggled => self.motions.hidden = !self.motions.hidden,
            Message::Export(message) => return self.handle_export(message),
            Message::CardDialog => {
                if self.cards.is_none() {
                    self.cards = Some(Cards::new(self.models.ganimation().name()));
                }
            }
            Message::Card(message) => match self.cards.as_mut().map(|c| c.update(&message)) {
                Some(card::Action::Run(task)) => return task.map(Message::Card),
                Some(card::Action::Close) => self.cards = None,
                Some(card::Action::Use(which, name)) => return self.choose_weights(which, name),
                None => {}
            },
            Message::PresetRead(result) => self.take_preset(result),
            Message::SampleDrawn(result) => self.sample_drawn(result),
            Message::Looked(digest, handle) => self.motions.looked(digest, handle),
            Message::Weights(which, name, result) => self.use_weights(which, name, result),
            Message::Drawn => self.take_drawn(),
            Message::OpenDialog => {
                return Task::perform(background::choose_portrait(), Message::OpenFile);
            }
            Message::OpenSample(index) => {
                if let Some(sample) = Sample::all().get(index) {
                    self.opening = true;
                    let model = Arc::clone(self.models.ganimation());
                    return open(move || sample.open(model.crop()));
                }
            }
            Message::OpenFile(None) => {
                self.status.notice = Some(Notice::Hint(top_bar::NO_PORTRAIT_CHOSEN.to_owned()));
            }
            Message::OpenFile(Some(path)) => {
                if has_extension(&path, &[ProjectFile::EXTENSION]) {
                    return self.handle_project(projects::Message::Open(path));
                }
                if has_extension(&path, &["json"]) {
                    return read_preset(path);
                }
                if is_clip(&path) {
                    self.add_clip(path);
                    return Task::none();
                }
                self.opening = true;
                let model = Arc::clone(self.models.ganimation());
                return open(move || Portrait::open(&path, model.crop()));
            }
            Message::Opened(Ok(portrait)) => self.show(portrait),
            Message::Opened(Err(problem)) => {
                self.opening = false;
                self.status.notice = Some(Notice::Problem(problem));
            }
            Message::ExportDialog => self.open_export(),
            Message::ChartTo(charts, target) => return save_chart(charts, target),
            Message::ChartSaved(path, result) => self.report_saved_chart(&path, result),
            Message::Queue(message) => return self.handle_queue(message),
            Message::Undo => {
                self.history.undo();
                self.forget_portraits();
            }
            Message::Redo => {
                self.history.redo();
            }
            Message::Keyboard(event) => return self.handle_keyboard(event),
            Message::Scaled(scale) => self.panes.set_scale(scale),
            Message::NoticeClosed => self.status.notice = None,
        }
        Task::none()
    }

    fn handle_timeline(&mut self, message: timeline::Message) -> Task<Message> {
        let subject = subject(&self.history, &self.drivers);
        match self.timeline.update(message, subject) {
            timeline::Action::None => {}
            timeline::Action::Drag(gesture, change) => {
                self.history
                    .drag(gesture, |document| change.apply(document));
            }
            timeline::Action::Edit(change) => {
                self.history.edit(|document| change.apply(document));
            }
            timeline::Action::EndGesture => self.history.end_gesture(),
            timeline::Action::Leave => return self.leave_field(),
            timeline::Action::ReadClip => return self.add_motion(list::NewMotion::Clip),
            timeline::Action::ReadSample => return self.add_motion(list::NewMotion::SampleClip),
            timeline::Action::Playback(playback) => self.play_as(playback),
            timeline::Action::Range(range) => self.trim_to(range),
            timeline::Action::Bake => self.bake(),
            timeline::Action::Measure => return self.measure(),
            timeline::Action::Height(height) => {
                self.projects.settings.timeline_height = Some(height);
                self.remember();
            }
            timeline::Action::Against(against) => self.measuring.against = against,
            timeline::Action::SaveChart => return self.save_seen(),
        }
        Task::none()
    }

    fn handle_expression(&mut self, message: expression::Message) -> Task<Message> {
        let frame = self.slider_frame();
        if self.expression.ends_typing(&message) {
            self.history.end_gesture();
        }
        // The sliders edit an expression track, whichever motion is chosen; an edit makes that track the chosen one.
        let moved = |project: &mut Project, change: expression::Change| {
            let before = Expression::of(project.document());
            project.change(|document| change.apply(document, frame));
            if Expression::of(project.document()) != before {
                project.choose(project.edited());
            }
        };
        match self
            .expression
            .update(message, self.history.document(), frame)
        {
            expression::Action::None => {}
            expression::Action::Drag(gesture, change) => {
                self.history
                    .drag_project(gesture, |project| moved(project, change));
            }
            expression::Action::Edit(change) => {
                self.history.edit_project(|project| moved(project, change));
            }
            expression::Action::EndGesture => self.history.end_gesture(),
            expression::Action::Leave => return self.leave_field(),
            expression::Action::KeepNeutral => self.keep_neutral(),
            expression::Action::Against => self.read_against(),
            expression::Action::Focus(id) => return iced::widget::operation::focus(id),
            expression::Action::Store(change) => return store_preset(change),
        }
        Task::none()
    }

    /// Ends the entry of a number and returns the keyboard to the window.
    fn leave_field(&mut self) -> Task<Message> {
        self.history.end_gesture();
        // Focusing a missing id unfocuses the current field.
        iced::widget::operation::focus("nothing")
    }

    /// Drops the portraits that no undo step refers to, and the oldest undo steps while the remaining portraits exceed
    /// `PORTRAIT_BYTES`.
    fn forget_portraits(&mut self) {
        loop {
            let known: HashSet<u64> = self.history.portraits().collect();
            self.portraits.retain(|id, _| known.contains(id));
            let bytes: usize = self
                .portraits
                .values()
                .map(|portrait| portrait.picture.rgba().len())
                .sum();
            if bytes <= PORTRAIT_BYTES || !self.history.forget_oldest() {
                return;
            }
        }
    }

    /// The frame of the sliders' track under the playhead.
    fn slider_frame(&self) -> u32 {
        let track = &self.history.document().track;
        self.timeline.frame().min(track.frames() - 1)
    }

    /// What the given panes show, at every step.
    fn composition_of(&self, panes: &[usize]) -> Composition {
        let project = self.history.project();
        let specs: Vec<_> = panes.iter().map(|pane| project.panes()[*pane]).collect();
        Composition::of(project, &specs, |id| self.drivers.driver(id))
    }

    /// The portrait with the document's face, crop and landmark offsets.
    fn subject(&self) -> Option<subject::Subject> {
        let document = self.history.document();
        let portrait = self.portraits.get(&document.portrait.id)?;
        let rule = self.models.crop_rule();
        Some(subject::Subject::of(document, portrait, rule))
    }

    /// The request for what the window should show now.
    fn request(&self) -> Option<Request> {
        let project = self.history.project();
        Some(Request {
            subject: self.subject()?,
            view: self.panes.view_of(project),
            composition: Arc::new(self.composition_of(&self.panes.visible(project))),
            step: self.timeline.frame(),
            wipe: self.panes.wipe_of(project),
            source: self.panes.holding,
            playing: self.timeline.is_playing(),
        })
    }

    /// Sends the current request to the worker, unless it equals the last one.
    fn ask(&mut self) {
        let Some(request) = self.request() else {
            return;
        };
        if self
            .asked
            .as_ref()
            .is_none_or(|asked| !asked.same(&request))
        {
            self.asked_serial = self.worker.send(request.clone());
            self.asked = Some(request);
        }
    }

    fn take_drawn(&mut self) {
        while let Some(outcome) = self.worker.take() {
            match outcome {
                Ok(outcome) => {
                    if !self.panes.show_outcome(&outcome) {
                        continue;
                    }
                    let mut panes = outcome.panes.iter().rev();
                    let edited = panes.find_map(|pane| pane.mean_edit);
                    self.status.edited = edited.unwrap_or(self.status.edited);
                    let folds = outcome.panes.iter().find_map(|pane| pane.measured_folds);
                    let here = self.document_face();
                    if let Some(folds) = folds.filter(|_| outcome.request.subject.id == here.0) {
                        self.measured_folds = Some((here, folds));
                    }
                    let slowest = outcome.panes.iter().filter_map(|pane| pane.millis);
                    self.status.millis = slowest.reduce(f32::max).or(self.status.millis);
                    if let Some(rendered) = outcome.rendered {
                        self.rendered = rendered;
                    }
                }
                Err(error) => self.status.notice = Some(Notice::Problem(error.to_string())),
            }
        }
    }
}

/// What the timeline shows: the sliders' track, or what is read from the chosen motion.
fn subject<'a>(history: &'a History, drivers: &'a Drivers) -> TimelineSource<'a> {
    let project = history.project();
    if project.is_editable() {
        return TimelineSource::Track(project.document());
    }
    let driver = drivers.driver(project.chosen());
    TimelineSource::Read {
        fps: driver.fps(),
        frames: driver.frames(),
        playback: match project.motion(project.chosen()).map(|motion| &motion.kind) {
            Some(MotionKind::Clip(clip)) => clip.playback,
            Some(MotionKind::Sample(sample)) => sample.playback,
            _ => Playback::Loop,
        },
        range: None,
        poses: drivers.poses(project.chosen()),
    }
}

/// Extensions of clips that cannot be portraits.
const CLIPS: [&str; 7] = ["mp4", "mov", "m4v", "webm", "mkv", "avi", "mpg"];

/// Whether a dropped path is a clip by its extension, or a folder, which is read as a sequence of frames.
pub fn is_clip(path: &Path) -> bool {
    has_extension(path, &CLIPS) || path.is_dir()
}

/// Whether a path has one of these extensions, ignoring case.
fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| extensions.contains(&extension.to_lowercase().as_str()))
}

fn open(read: impl FnOnce() -> Result<Portrait, EngineError> + Send + 'static) -> Task<Message> {
    in_background(read, |result| {
        Message::Opened(match result {
            Some(Ok(portrait)) => Ok(Arc::new(portrait)),
            Some(Err(error)) => Err(error.to_string()),
            None => Err(top_bar::portrait_bug()),
        })
    })
}
