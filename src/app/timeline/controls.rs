//! Layout of the timeline panel, and the two rows of controls above the drawing.

use iced::widget::tooltip::Position;
use iced::widget::{Row, column, container, pick_list, row, space, stack, text, text_input};
use iced::{Alignment, Element, Length};

use crate::app::strings::panes::pane as pane_name;
use crate::app::strings::{common, timeline as strings};
use crate::app::widgets::controls::{action, hinted, toggle};
use crate::app::widgets::format::short;
use crate::app::widgets::signs::{Sign, sign};
use crate::app::widgets::theme;
use crate::document::{Document, Easing, Playback, Pose, Selection, SliderRange};

use super::edge::Edge;
use super::sheet::Sheet;
use super::subject::{SheetData, TimelineSource};
use super::{Message, Tab, Timeline, Value, metrics};

/// The height of every row of controls, in logical pixels.
const ROW: f32 = 27.0;

impl Timeline {
    /// Builds the panel.
    pub fn view<'a>(&'a self, given: SheetData<'a>) -> Element<'a, Message> {
        let subject = given.subject;
        let tools = match (self.tab, subject) {
            (Tab::Metrics, _) => self.measures(given),
            (_, TimelineSource::Track(document)) => self.tools(document),
            (_, TimelineSource::Read { poses, .. }) => self.baking(poses),
        };
        let lit = subject
            .track()
            .map_or_else(Selection::new, |track| self.target_keys(track));
        let channels = subject.channels().into_iter();
        let sheet = Sheet {
            given,
            frame: self.frame,
            selection: &self.selection,
            grabbed: self.grabbed(),
            lit,
            tab: self.tab,
            lens: self.lens,
            channels: channels
                .map(|(channel, on)| (channel, *self.shown.get(&channel).unwrap_or(&on)))
                .collect(),
            metric: self.metric.as_deref(),
            reach: if subject.is_usual() {
                self.reach
            } else {
                SliderRange::Beyond
            },
        };
        let table = given.numbers.filter(|_| self.tab == Tab::Metrics);
        let table = table.and_then(|numbers| {
            let metric = numbers.chosen(self.metric.as_deref())?;
            Some(metrics::table(numbers, metric))
        });
        let rows = column![
            container(self.transport(subject)).height(ROW),
            container(tools).height(ROW),
            row![sheet.into_element(), table].height(Length::Fill),
        ];
        let panel = container(rows.spacing(theme::GAP))
            .padding([10.0, theme::SPACE])
            .height(self.height())
            .width(Length::Fill)
            .style(theme::panel);
        stack![panel, Edge::of(self.height()).into_element()].into()
    }

    /// Playback controls, in and out, the tabs, and the length.
    fn transport<'a>(&'a self, subject: TimelineSource<'a>) -> Element<'a, Message> {
        let play = if self.is_playing() {
            Sign::Pause
        } else {
            Sign::Play
        };
        let time = text(strings::position(
            subject.time_of(self.frame),
            self.frame + 1,
            subject.frames(),
        ))
        .size(theme::SMALL)
        .font(theme::FIGURES)
        .style(theme::dim);
        let whole = subject.range().map(|_| Message::ResetRange);
        let tab = |label, tab| toggle(label, self.tab == tab, Message::Tab(tab));
        let playback = subject.playback();
        let length: Element<'a, Message> = match subject {
            TimelineSource::Track(_) => row![
                text(strings::FRAMES).size(theme::SMALL).style(theme::dim),
                self.field(Value::Frames, subject.frames().to_string()),
                text(common::FPS).size(theme::SMALL).style(theme::dim),
                self.field(Value::Fps, short(subject.fps())),
            ]
            .spacing(theme::GAP)
            .align_y(Alignment::Center)
            .into(),
            TimelineSource::Read { fps, .. } => {
                let reading = self.reading.iter().cloned();
                let words: Vec<_> = reading.chain([strings::fps(fps)]).collect();
                text(words.join("  "))
                    .size(theme::SMALL)
                    .font(theme::FIGURES)
                    .style(theme::dim)
                    .into()
            }
        };
        line(row![
            hinted(
                sign(Sign::ToStart, Some(Message::ToStart)),
                strings::TO_START_HINT,
                Position::Top
            ),
            hinted(
                sign(play, Some(Message::PlayToggled)),
                strings::PLAY_HINT,
                Position::Top
            ),
            pick_list(Playback::ALL, Some(playback), Message::Playback)
                .text_size(theme::SMALL)
                .padding([4, 8])
                .style(theme::choice(playback as usize)),
            time,
            space::horizontal().width(theme::GAP),
            hinted(
                action(strings::IN, Some(Message::In)),
                strings::IN_HINT,
                Position::Top
            ),
            hinted(
                action(strings::OUT, Some(Message::Out)),
                strings::OUT_HINT,
                Position::Top
            ),
            hinted(
                action(strings::ALL_FRAMES, whole),
                strings::ALL_FRAMES_HINT,
                Position::Top
            ),
            space::horizontal(),
            tab(strings::CURVES, Tab::Curves),
            tab(strings::DOPE_SHEET, Tab::Dope),
            tab(strings::METRICS, Tab::Metrics),
            space::horizontal(),
            length,
        ])
    }

    /// The commands on keys.
    fn tools<'a>(&'a self, document: &'a Document) -> Element<'a, Message> {
        let track = &document.track;
        let target_keys = self.target_keys(track);
        let eased = self.eased(track);
        let easing = track.easing_of(&eased);
        let easings: &[Easing] = if eased.is_empty() { &[] } else { &Easing::ALL };
        let mixed = if eased.is_empty() {
            strings::NO_KEYFRAME
        } else {
            strings::SEVERAL
        };
        let names: Vec<String> = self
            .presets
            .iter()
            .map(|preset| preset.name.clone())
            .collect();
        let stretch = self.stretchable().map(|around| {
            let list = pick_list(Stretch::ALL, None::<Stretch>, move |Stretch(percent)| {
                Message::Stretched {
                    around,
                    factor: f64::from(percent) / 100.0,
                    held: false,
                }
            });
            hinted(
                list.placeholder(strings::STRETCH)
                    .text_size(theme::SMALL)
                    .padding([4, 8])
                    .width(92)
                    .style(theme::choice(0)),
                strings::STRETCH_HINT,
                Position::Top,
            )
        });
        line(row![
            hinted(
                action(strings::SET_KEYFRAME, Some(Message::KeyAdded)),
                strings::SET_KEYFRAME_HINT,
                Position::Top,
            ),
            hinted(
                action(
                    strings::DELETE,
                    (!target_keys.is_empty()).then_some(Message::KeyRemoved)
                ),
                strings::DELETE_HINT,
                Position::Top,
            ),
            space::horizontal().width(theme::GAP),
            text(strings::EASING).size(theme::SMALL).style(theme::dim),
            pick_list(easings, easing, Message::Easing)
                .placeholder(mixed)
                .text_size(theme::SMALL)
                .padding([4, 8])
                .width(150)
                .style(theme::choice(
                    easing.map_or(eased.len().min(1), |easing| easing.index() + 2)
                )),
            stretch,
            space::horizontal().width(theme::GAP),
            hinted(
                pick_list(names, None::<String>, Message::Preset)
                    .placeholder(strings::INSERT_PRESET)
                    .text_size(theme::SMALL)
                    .padding([4, 8])
                    .width(130)
                    .style(theme::choice(0)),
                strings::INSERT_PRESET_HINT,
                Position::Top,
            ),
            space::horizontal(),
            hinted(
                action(
                    common::SAVE_CHART,
                    (!track.is_empty()).then_some(Message::SaveChart)
                ),
                strings::SAVE_UNITS_HINT,
                Position::Top,
            ),
            hinted(
                action(strings::FROM_CLIP, Some(Message::ReadClip)),
                strings::FROM_CLIP_HINT,
                Position::Top,
            ),
            // A track with keys needs no sample to try.
            track.is_empty().then(|| hinted(
                action(strings::SAMPLE_CLIP, Some(Message::ReadSample)),
                strings::SAMPLE_CLIP_HINT,
                Position::Top,
            )),
        ])
    }

    /// The controls of a read motion, which can be baked but not edited.
    fn baking<'a>(&'a self, poses: &[Option<Pose>]) -> Element<'a, Message> {
        let reads = poses.iter().any(Option::is_some);
        line(row![
            hinted(
                action(common::BAKE, Some(Message::Bake)),
                common::BAKE_HINT,
                Position::Top,
            ),
            text(strings::BAKE_NOTE)
                .size(theme::SMALL)
                .style(theme::faint),
            space::horizontal(),
            hinted(
                action(common::SAVE_CHART, reads.then_some(Message::SaveChart)),
                strings::SAVE_UNITS_HINT,
                Position::Top,
            ),
        ])
    }

    /// The controls of the measurements.
    fn measures<'a>(&'a self, given: SheetData<'a>) -> Element<'a, Message> {
        let numbers = given.numbers;
        let metrics: Vec<String> = numbers
            .map(|numbers| numbers.metrics().into_iter().map(str::to_owned).collect())
            .unwrap_or_default();
        let chosen = numbers.and_then(|numbers| numbers.chosen(self.metric.as_deref()));
        let index = metrics
            .iter()
            .position(|metric| Some(metric.as_str()) == chosen);
        let chosen = chosen.map(str::to_owned);
        let label = match given.measuring {
            Some(_) => strings::STOP,
            None => strings::MEASURE,
        };
        let against: Vec<Against> = std::iter::once(Against(None))
            .chain((0..given.panes).map(|pane| Against(Some(pane))))
            .collect();
        line(row![
            hinted(
                action(label, Some(Message::Measure)),
                strings::MEASURE_HINT,
                Position::Top,
            ),
            text(strings::AGAINST).size(theme::SMALL).style(theme::dim),
            hinted(
                pick_list(against, Some(Against(given.against)), |Against(pane)| {
                    Message::Against(pane)
                })
                .text_size(theme::SMALL)
                .padding([4, 8])
                .style(theme::choice(given.against.map_or(0, |pane| pane + 1))),
                strings::AGAINST_HINT,
                Position::Top,
            ),
            pick_list(metrics, chosen, Message::Metric)
                .placeholder(strings::NO_NUMBERS)
                .text_size(theme::SMALL)
                .padding([4, 8])
                .width(150)
                .style(theme::choice(index.map_or(0, |index| index + 1))),
            given.measuring.map(|progress| {
                text(progress)
                    .size(theme::SMALL)
                    .font(theme::FIGURES)
                    .style(theme::dim)
            }),
            space::horizontal(),
            hinted(
                action(
                    common::SAVE_CHART,
                    given.numbers.map(|_| Message::SaveChart)
                ),
                strings::SAVE_METRIC_HINT,
                Position::Top,
            ),
        ])
    }

    fn field<'a>(&self, value: Value, number: String) -> Element<'a, Message> {
        let shown = match &self.typing {
            Some((typing, text)) if *typing == value => text.clone(),
            _ => number,
        };
        text_input("", &shown)
            .on_input(move |text| Message::Typed(value, text))
            .on_submit(Message::Entered)
            .size(theme::SMALL)
            .font(theme::FIGURES)
            .padding([3, 6])
            .width(60)
            .style(theme::field)
            .into()
    }
}

fn line<'a>(row: Row<'a, Message>) -> Element<'a, Message> {
    row.spacing(theme::GAP).align_y(Alignment::Center).into()
}

/// The factor for the time between keys, in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch(u32);

impl Stretch {
    const ALL: [Stretch; 6] = [
        Stretch(25),
        Stretch(50),
        Stretch(75),
        Stretch(125),
        Stretch(150),
        Stretch(200),
    ];
}

impl std::fmt::Display for Stretch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&strings::stretch(self.0))
    }
}

/// What the panes are measured against.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Against(Option<usize>);

impl std::fmt::Display for Against {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            None => f.write_str(strings::DRIVING_MOTION),
            Some(pane) => f.write_str(&pane_name(pane)),
        }
    }
}
