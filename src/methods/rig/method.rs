//! The rig as a [`Method`]: fits a head to the portrait once, and draws frames at the resolution of the view.

use std::path::Path;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Instant;

use super::continuation::{REACH, REACH_MOVED};
use super::controls::{Controls, coefficients};
use super::fit::Fit;
use super::glasses::GlassesFrame;
use super::grid::{Grid, Portrait, copy_changed, copy_changed_enlarged, mask_on_grid};
use super::image::Image;
use super::matte::{MATTE_UNIT, Matte};
use super::model::Model;
use super::painter::{FrameParams, Painter};
use super::place::{MARGIN_PLACED, Place, REACH_PLACED};
use super::scene::Scene;
use super::skin_texture::portrait_folds;
use super::tone::Tone;
use super::turn::possible_yaw;
use crate::document::{MethodId, Mode, PaneView, Pose};
use crate::error::{EngineError, InternalError, MethodError};
use crate::face::limits::CachedMask;
use crate::face::view::View;
use crate::face::{BLENDSHAPES, Mesh, Motion, TurnedSquare};
use crate::media::image::{ImagePyramid, Picture};
use crate::methods::diagnostics::{
    DeformedMesh, Diagnostics, KeyPoint, LayerWeights, Map, MeshDiagnostics, MotionDiagnostics,
    MotionFrame,
};
use crate::methods::drive::Drive;
use crate::methods::subject::{Subject, square};
use crate::methods::{
    Base, DrivenBy, Method, MethodFrame, MethodInfo, Quality, Session, millis_since,
};
use crate::progress::Stop;
use crate::weights::CropRule;

/// The rig in the registry.
pub static INFO: MethodInfo = MethodInfo {
    id: MethodId::new("rig"),
    title: "Rig",
    driven_by: DrivenBy::Expression,
    draws_head: true,
    overshoots: true,
    draws_folds: true,
    is_generative: false,
    fits_landmarks: true,
    modes: &[],
    views: &[
        PaneView::Result,
        PaneView::Flow,
        PaneView::KeyPoints,
        PaneView::Mesh,
        PaneView::Depth,
        PaneView::Layers,
        PaneView::Difference,
    ],
    has_draft: true,
    bundled: None,
    open: |weights: Option<&Path>| match weights {
        Some(_) => Err(MethodError::NoWeights { method: "Rig" }.into()),
        None => Ok(Arc::new(Rig)),
    },
};

/// The rig as a method. It has no weights: one head model serves every portrait.
pub struct Rig;

const NO_FACE: MethodError = MethodError::NoFace { method: "the rig" };

/// The crop over which limits and diagnostics are laid out.
static CROP: LazyLock<CropRule> = LazyLock::new(|| CropRule {
    kind: "landmark_bbox_square".to_owned(),
    scale: 1.6,
    upright: false,
});

/// How far beyond the view's edges the portrait is read, in centimetres, since pixels move in from there.
const MARGIN: f32 = 2.0;
const MARGIN_TURNED: f32 = 6.0;

/// Skin that belongs to the face, without neck and hair.
const MIN_FACE_MASK: f32 = 0.3;

/// Resolution at which colours and folds are measured, in pixels per centimetre; less if the portrait has less.
const MEASURED_PIXELS_PER_CM: f32 = 32.0;

/// Side of the flow in the diagnostics, in samples.
const FLOW: usize = 64;

/// Number of resolutions with a cached painter: a pane's, and that of driving pictures.
const CACHED_PAINTERS: usize = 2;

impl Method for Rig {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&self) -> &str {
        "rig"
    }

    fn device(&self) -> String {
        "CPU".to_owned()
    }

    fn crop(&self) -> &CropRule {
        &CROP
    }

    fn prepare(&self, subject: &Subject, _: Stop) -> Result<Box<dyn Session>, EngineError> {
        let model = Model::bundled().map_err(|_| InternalError::Head)?;
        let face = subject.face.as_deref().ok_or(NO_FACE)?;
        let landmarks: Vec<[f32; 2]> = face
            .mesh
            .points()
            .iter()
            .map(|[x, y, _]| [*x, *y])
            .collect();
        let jaw = BLENDSHAPES.iter().position(|name| *name == "jawOpen");
        let jaw = jaw.map_or(0.0, |i| face.scores[i]);
        let fit = Fit::new(model, &landmarks, jaw).ok_or(NO_FACE)?;
        let mut portrait = Portrait {
            pyramid: ImagePyramid::for_display(Arc::clone(&subject.picture)),
        };
        let unit = fit.projection.pixels_per_cm;
        let zoom = f64::from(MEASURED_PIXELS_PER_CM / unit);
        let bounds = fit.face_box(model, MIN_FACE_MASK);
        let grid = Grid::around(bounds, unit, zoom, subject.picture.size()).ok_or(NO_FACE)?;
        let source = portrait.read(&grid)?;
        let scene_fit = grid.fit(&fit);
        let tone = Tone::new(model, &scene_fit, &source);
        let scene = Scene {
            model,
            source,
            fit: scene_fit,
            tone,
        };
        let crop = subject.crop_for(&CROP);
        Ok(Box::new(RigSession {
            model,
            folds: portrait_folds(&scene),
            glasses: GlassesFrame::new(&scene),
            tone: scene.tone,
            bounds,
            fit,
            portrait,
            place: square(crop),
            mesh: face.mesh.clone(),
            triangles: Arc::new(model.skin_triangles.clone()),
            mask: CachedMask::default(),
            matte: OnceLock::new(),
            painters: Vec::new(),
        }))
    }
}

/// A head fitted to a portrait.
struct RigSession {
    model: &'static Model,
    /// In pixels of the portrait.
    fit: Fit,
    /// The bounding box (left, top, right, bottom) of the face in the portrait.
    bounds: [f32; 4],
    tone: Tone,
    /// The strength of folds estimated from the portrait's skin.
    folds: f32,
    glasses: GlassesFrame,
    portrait: Portrait,
    /// The square over which limits and diagnostics are laid out.
    place: TurnedSquare,
    mesh: Mesh,
    /// Triangles of the head's skin.
    triangles: Arc<Vec<[u32; 3]>>,
    mask: CachedMask,
    /// The head's matte with its grid, estimated when the head first turns; `None` if the portrait allows none.
    matte: OnceLock<Option<Arc<(Grid, Matte)>>>,
    /// The most recently drawn resolutions.
    painters: Vec<(Grid, Painter)>,
}

impl Session for RigSession {
    fn frame(
        &mut self,
        subject: &Subject,
        drive: &mut dyn Drive,
        _: Option<Mode>,
        quality: Quality,
        _: Stop,
    ) -> Result<MethodFrame, EngineError> {
        let started = Instant::now();
        let pose = drive.expression();
        let wanted = self.wanted(subject, &pose, quality == Quality::Draft);
        let (motion, mesh) = if quality == Quality::Diagnostics {
            let (motion, mesh) = self.motion(subject, &wanted)?;
            (Some(motion), Some(mesh))
        } else {
            (None, None)
        };
        let is_rest = self.is_rest(&wanted);
        let is_draft = wanted.draft && !is_rest;
        Ok(MethodFrame {
            diagnostics: Diagnostics::Mesh(MeshDiagnostics {
                pose,
                draft: wanted.draft,
                measured_folds: self.folds,
                motion,
                mesh,
            }),
            is_draft,
            millis: (!is_rest).then(|| millis_since(started)),
            draft_millis: 0.0,
            mean_edit: None,
        })
    }

    fn composite(
        &mut self,
        subject: &Subject,
        frame: &MethodFrame,
        view: &View,
        base: Base<'_>,
    ) -> Result<Picture, EngineError> {
        let Diagnostics::Mesh(diagnostics) = &frame.diagnostics else {
            return Ok(base.picture().clone());
        };
        let wanted = self.wanted(subject, &diagnostics.pose, diagnostics.draft);
        if self.is_rest(&wanted) {
            return Ok(base.picture().clone());
        }
        let Some(grid) = self.grid(&wanted, view, subject) else {
            return Ok(base.picture().clone());
        };
        let limit = self.limit(&grid, subject);
        let drawn = self
            .divided_painter(grid, &wanted, subject)?
            .draw(&wanted, limit.as_ref());
        let mut picture = base.picture().clone();
        if view.zoom > 1.0 {
            copy_changed_enlarged(&mut picture, view, &grid, &drawn)?;
        } else {
            copy_changed(&mut picture, &grid, &drawn);
        }
        Ok(picture)
    }

    fn layer_weights(
        &mut self,
        subject: &Subject,
        frame: &MethodFrame,
        view: &View,
    ) -> Result<Option<LayerWeights>, EngineError> {
        let Diagnostics::Mesh(diagnostics) = &frame.diagnostics else {
            return Ok(None);
        };
        let place = self.place;
        let wanted = self.wanted(subject, &diagnostics.pose, diagnostics.draft);
        let grid = self.grid(&wanted, view, subject);
        let Some(grid) = grid.filter(|_| !self.is_rest(&wanted)) else {
            return Ok(Some(LayerWeights::none(place)));
        };
        let limit = self.limit(&grid, subject);
        let painter = self.divided_painter(grid, &wanted, subject)?;
        let shares = painter.layers(&wanted, limit.as_ref());
        Ok(Some(LayerWeights {
            place,
            x: grid.x,
            y: grid.y,
            zoom: grid.zoom,
            width: shares.width,
            height: shares.height,
            values: shares.pixels,
        }))
    }
}

impl RigSession {
    /// The pixels of a view that a frame may change; `None` if there are none.
    fn grid(&self, wanted: &FrameParams, view: &View, subject: &Subject) -> Option<Grid> {
        let (reach, margin) = if wanted.place != Place::AS_IN_PORTRAIT {
            (REACH_PLACED, MARGIN_PLACED)
        } else if wanted.turned != [0.0; 3] {
            (REACH_MOVED, MARGIN_TURNED)
        } else {
            (REACH, MARGIN)
        };
        let unit = self.fit.projection.pixels_per_cm;
        let size = subject.picture.size();
        Grid::new(self.bounds, reach * unit, view, margin * unit, size)
    }

    /// Where the edit applies, at the pixels of a grid; `None` means everywhere.
    fn limit(&mut self, grid: &Grid, subject: &Subject) -> Option<Image<f32>> {
        let mask = self.mask.get(Some(&self.mesh), self.place, subject.limit);
        mask.map(|mask| mask_on_grid(grid, self.place, &mask))
    }

    fn wanted(&self, subject: &Subject, pose: &Pose, draft: bool) -> FrameParams {
        let controls = Controls {
            source: *subject.expression.values(),
            target: [*pose.left.values(), *pose.right.values()],
            gaze: [pose.gaze.x(), pose.gaze.y()],
        };
        FrameParams {
            expression: coefficients(self.model, &self.fit.expression, &controls),
            // The document's roll is clockwise; with y up, a positive angle about z is anticlockwise.
            turned: [
                possible_yaw(self.fit.projection.yaw(), pose.head.yaw()),
                pose.head.pitch(),
                -pose.head.roll(),
            ],
            place: Place {
                right: pose.place.x() / 100.0,
                up: pose.place.y() / 100.0,
                size: pose.place.size() / 100.0,
            },
            gaze: controls.gaze,
            folds: subject.folds.unwrap_or(self.folds),
            glasses: subject.glasses,
            draft,
        }
    }

    /// Whether the frame equals the portrait.
    fn is_rest(&self, wanted: &FrameParams) -> bool {
        wanted.expression == self.fit.expression
            && wanted.turned == [0.0; 3]
            && wanted.place == Place::AS_IN_PORTRAIT
            && wanted.gaze == [0.0; 2]
    }

    /// The matte of the head's surroundings with its grid, estimated on first use; `None` if the portrait allows none.
    fn matte(&mut self, size: (u32, u32)) -> Result<Option<Arc<(Grid, Matte)>>, EngineError> {
        if let Some(matte) = self.matte.get() {
            return Ok(matte.clone());
        }
        let unit = self.fit.projection.pixels_per_cm;
        let zoom = f64::from(MATTE_UNIT / unit);
        let matte = match Grid::around(self.bounds, REACH_MOVED * unit, zoom, size) {
            Some(grid) => {
                let source = self.portrait.read(&grid)?;
                let matte = Matte::new(self.model, &source, &grid.fit(&self.fit));
                matte.map(|matte| Arc::new((grid, matte)))
            }
            None => None,
        };
        Ok(self.matte.get_or_init(|| matte).clone())
    }

    /// The painter for a grid; where the head turns, with the portrait divided into person and background.
    fn divided_painter(
        &mut self,
        grid: Grid,
        wanted: &FrameParams,
        subject: &Subject,
    ) -> Result<&mut Painter, EngineError> {
        let matte = if wanted.turned == [0.0; 3] {
            None
        } else {
            self.matte(subject.picture.size())?
        };
        let painter = self.painter(grid)?;
        if let Some(matte) = matte {
            painter.divide(&matte.1, grid.matte_place(&matte.0));
        }
        Ok(painter)
    }

    /// The painter for a grid, created on first use.
    fn painter(&mut self, grid: Grid) -> Result<&mut Painter, EngineError> {
        if let Some(at) = self.painters.iter().position(|(of, _)| *of == grid) {
            let found = self.painters.remove(at);
            self.painters.push(found);
        } else {
            let source = self.portrait.read(&grid)?;
            let (tone, glasses) = (self.tone.clone(), self.glasses.clone());
            let bounds = grid.bounds(self.portrait.pyramid.picture().size());
            let fit = grid.fit(&self.fit);
            let painter = Painter::new(self.model, source, bounds, fit, tone, glasses);
            if self.painters.len() >= CACHED_PAINTERS {
                self.painters.remove(0);
            }
            self.painters.push((grid, painter));
        }
        match self.painters.last_mut() {
            Some((_, painter)) => Ok(painter),
            None => Err(InternalError::Head.into()),
        }
    }

    /// The displacement as networks report it: a flow over the square with the landmarks that it moves; and the head's
    /// mesh.
    fn motion(
        &mut self,
        subject: &Subject,
        wanted: &FrameParams,
    ) -> Result<(MotionDiagnostics, DeformedMesh), EngineError> {
        let zoom = 4.0 * FLOW as f64 / self.place.side;
        let reach = if wanted.place == Place::AS_IN_PORTRAIT {
            REACH_MOVED
        } else {
            REACH_PLACED
        };
        let reach = reach * self.fit.projection.pixels_per_cm;
        let grid = Grid::around(self.bounds, reach, zoom, subject.picture.size()).ok_or(NO_FACE)?;
        let (place, model, landmarks) = (self.place, self.model, &self.model.landmarks);
        let triangles = Arc::clone(&self.triangles);
        let before = grid.fit(&self.fit).portrait_points;
        let painter = self.painter(grid)?;
        let deformed = painter.deformed(wanted);
        let warp = painter.place_warp(wanted, &deformed);
        let field = painter.field(&deformed);
        let placed = deformed.points.iter();
        let placed: Vec<_> = placed
            .map(|point| warp.map_or(*point, |warp| warp.place(*point)))
            .collect();
        let within = |x: f32, y: f32| {
            let at = (
                grid.x + f64::from(x) / grid.zoom,
                grid.y + f64::from(y) / grid.zoom,
            );
            let (u, v) = place.within(at);
            [2.0 * u as f32 - 1.0, 2.0 * v as f32 - 1.0]
        };
        let flow = |shifted: bool| -> Vec<f32> {
            let sample = |i: usize| (i as f64 + 0.5) / FLOW as f64;
            let places = (0..FLOW)
                .flat_map(|row| (0..FLOW).map(move |column| (sample(column), sample(row))));
            places
                .flat_map(|at| {
                    let (x, y) = grid.point(place.to_picture(at));
                    if !shifted {
                        return within(x, y);
                    }
                    let [ox, oy] = warp.map_or([0.0; 2], |warp| warp.offset([x, y]));
                    let (x, y) = (x + ox, y + oy);
                    let [dx, dy] = field.shift.linear(x, y);
                    within(x + dx, y + dy)
                })
                .collect()
        };
        let points = |vertices: &[super::model::Point]| -> Vec<KeyPoint> {
            let at = landmarks
                .iter()
                .map(|vertex| within(vertices[*vertex][0], vertices[*vertex][1]));
            at.map(|at| KeyPoint { at, axes: None }).collect()
        };
        let source = points(&before);
        let frame = |shifted: bool, points: Vec<KeyPoint>| {
            Arc::new(MotionFrame {
                motion: Motion {
                    flow_size: (FLOW, FLOW),
                    flow: flow(shifted),
                    align_corners: false,
                    occlusion_size: 0,
                    occlusion: Vec::new(),
                    size: 0,
                    picture: Vec::new(),
                },
                occlusions: vec![Map {
                    size: 1,
                    values: vec![1.0],
                }],
                contributions: None,
                points,
                source: source.clone(),
            })
        };
        let skin = &placed[..model.skin.min(placed.len())];
        let vertex = |[x, y, near]: &super::model::Point| {
            let [u, v] = within(*x, *y).map(|at| 0.5 * (at + 1.0));
            [u, v, *near / (grid.zoom * place.side) as f32]
        };
        let mesh = DeformedMesh {
            vertices: skin.iter().map(vertex).collect(),
            triangles,
        };
        let motion = MotionDiagnostics {
            place,
            frame: frame(true, points(&placed)),
            rest: frame(false, source.clone()),
        };
        Ok((motion, mesh))
    }
}
