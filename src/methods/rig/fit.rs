//! Fits the head to a face's landmarks: pose, identity and expression.
//!
//! A scaled orthographic pose, the person's shape and the expression are solved for in turn, each by regularised least
//! squares. The remaining error becomes a smooth displacement of the skin, so that lids and lips are on the landmarks to
//! a fraction of a pixel.

use std::sync::OnceLock;

use super::image::Sample;
use super::model::{Model, Point};
use super::solve::{Dense, Sparse, product};

/// Weight of a landmark in the fit, and in the residual field.
#[derive(Clone, Copy)]
struct Weight {
    fit: f64,
    residual: f64,
}

pub(super) const EYELIDS: [usize; 32] = [
    33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7, 362, 398, 384,
    385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382,
];
/// The outer edges first, then the inner.
pub(super) const LIPS: [usize; 40] = [
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146, 78,
    191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
];
pub(super) const BROWS: [usize; 20] = [
    70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 300, 293, 334, 296, 336, 285, 295, 282, 283, 276,
];
pub(super) const OVAL: [usize; 36] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];

/// Expressions that are common in portraits, which the fit uses freely, and less common ones, which are regularised more.
/// Others are practically excluded.
const COMMON: [&str; 5] = [
    "mouthSmile",
    "jawOpen",
    "mouthUpperUp",
    "mouthLowerDown",
    "eyeBlink",
];
const UNCOMMON: [&str; 17] = [
    "browDown",
    "browInnerUp",
    "browOuterUp",
    "eyeBlink",
    "eyeWide",
    "eyeSquint",
    "cheekSquint",
    "jawOpen",
    "mouthSmile",
    "mouthFrown",
    "mouthUpperUp",
    "mouthLowerDown",
    "mouthPress",
    "mouthStretch",
    "mouthRoll",
    "mouthClose",
    "noseSneer",
];

/// Regularisation weight of coefficients. It was tuned with the classic 68 landmarks and is scaled to 468.
const RIDGE: f64 = 468.0 / 68.0 * 0.5;
const ROUNDS: usize = 6;

fn weights() -> Vec<Weight> {
    let mut all = vec![
        Weight {
            fit: 0.5,
            residual: 0.5
        };
        468
    ];
    let mut set = |list: &[usize], fit, residual| {
        for landmark in list {
            all[*landmark] = Weight { fit, residual };
        }
    };
    set(&BROWS, 1.0, 1.5);
    set(&LIPS, 1.5, 4.0);
    set(&EYELIDS, 1.5, 6.0);
    set(&OVAL, 0.2, 0.15);
    all
}

/// From the head's centimetres to pixels: scaled orthographic, y down, z to the viewer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Projection {
    /// Rows of the scaled rotation: to the right, up, and to the viewer.
    pub rows: [Point; 3],
    /// Translation to the right and up, in pixels.
    pub shift: [f32; 2],
    /// Pixels per centimetre.
    pub pixels_per_cm: f32,
    /// The head's downward axis in the picture, a unit vector.
    pub down: [f32; 2],
}

impl Projection {
    #[inline]
    pub fn point(&self, v: Point) -> Point {
        let [right, up, near] = self.rows.map(|row| dot(row, v));
        [right + self.shift[0], -(up + self.shift[1]), near]
    }

    /// The direction of the face in degrees, 0 towards the viewer, above 0 to the picture's right.
    pub fn yaw(&self) -> f32 {
        let [right, _, near] = self.rows.map(|row| row[2]);
        right.atan2(near).to_degrees()
    }

    /// The projection into a picture scaled by `zoom` whose first pixel is at `(x, y)` of the original.
    fn in_view(&self, zoom: f32, x: f32, y: f32) -> Self {
        Self {
            rows: self.rows.map(|row| row.map(|v| v * zoom)),
            shift: [(self.shift[0] - x) * zoom, (self.shift[1] + y) * zoom],
            pixels_per_cm: self.pixels_per_cm * zoom,
            down: self.down,
        }
    }
}

#[inline]
pub(super) fn dot(a: Point, b: Point) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: Point, b: Point) -> Point {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// An iris, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Iris {
    pub centre: [f32; 2],
    pub radius: f32,
}

/// A head fitted to a face. All pixel coordinates are those of one picture; see [`Fit::in_view`].
#[derive(Debug, Clone)]
pub(super) struct Fit {
    pub projection: Projection,
    /// The person's head with a neutral expression, all vertices, in centimetres.
    pub person: Vec<Point>,
    /// The portrait's fitted expression, a coefficient for each of the model's.
    pub expression: Vec<f32>,
    /// The fitted head, all vertices in pixels.
    pub projected: Vec<Point>,
    /// The displacement from the fit to the landmarks, for each vertex of the skin in pixels.
    pub residual: Vec<[f32; 2]>,
    /// `projected` plus `residual`: where each vertex is in the portrait.
    pub portrait_points: Vec<Point>,
    /// Unit normals of the fitted skin; y up.
    pub normals: Vec<Point>,
    /// Of the person's right eye, on the picture's left, then of the left.
    pub irises: [Iris; 2],
    /// The 478 landmarks in pixels.
    pub landmarks: Vec<[f32; 2]>,
    /// Root mean square distance of the landmarks from the fit without the residual, in centimetres.
    pub misfit: f32,
}

impl Fit {
    /// Fits the head to 478 landmarks in pixels. `jaw` is the blendshapes' `jawOpen`, in 0..=1: from the landmarks alone
    /// a toothy grin and an open jaw look the same.
    ///
    /// Returns `None` if the landmarks are collinear.
    pub fn new(model: &Model, landmarks: &[[f32; 2]], jaw: f32) -> Option<Self> {
        let weights = weights();
        let at: Vec<[f64; 2]> = landmarks
            .iter()
            .map(|[x, y]| [f64::from(*x), -f64::from(*y)])
            .collect();
        let expressions = model.names.len();
        let open = model.names.iter().position(|name| name == "jawOpen");
        let mut prior: Vec<f64> = model
            .names
            .iter()
            .map(|name| 0.3 * RIDGE * prior_weight(name))
            .collect();
        let mut mean = vec![0.0; expressions];
        if let Some(open) = open {
            prior[open] = 0.3 * RIDGE * 60.0;
            mean[open] = f64::from(jaw);
        }
        for (name, prior) in model.names.iter().zip(&mut prior) {
            if name == "mouthClose" {
                *prior = 0.3 * RIDGE * 20.0;
            }
        }
        let most = |i: usize| {
            if model.names[i].starts_with("mouthSmile") {
                1.4
            } else {
                1.0
            }
        };
        let (mut identity, mut expression) = (vec![0.0; model.identities.len()], mean.clone());
        let mut pose = None;
        for _ in 0..ROUNDS {
            let shape = shape(model, &identity, &expression);
            let found = Pose::of(&shape, &at, &weights)?;
            let base = at_landmarks(model, &expression, &model.expressions);
            let identity_prior_weights = vec![RIDGE; identity.len()];
            let identity_prior_means = vec![0.0; identity.len()];
            identity = found.coefficients(
                &model.identities,
                &base,
                model,
                &at,
                &weights,
                (&identity_prior_weights, &identity_prior_means),
            )?;
            for value in &mut identity {
                *value = value.clamp(-2.5, 2.5);
            }
            let base = at_landmarks(model, &identity, &model.identities);
            expression = found.coefficients(
                &model.expressions,
                &base,
                model,
                &at,
                &weights,
                (&prior, &mean),
            )?;
            for (i, value) in expression.iter_mut().enumerate() {
                *value = value.clamp(0.0, most(i));
            }
            pose = Some(found);
        }
        let projection = pose?.projection()?;
        let person = person(model, &identity);
        let expression: Vec<f32> = expression.into_iter().map(|v| v as f32).collect();
        let projected = posed(model, &person, &expression, &projection);
        let missing: Vec<[f64; 2]> = model
            .landmarks
            .iter()
            .zip(landmarks)
            .map(|(vertex, [x, y])| {
                let [px, py, _] = projected[*vertex];
                [f64::from(x - px), f64::from(y - py)]
            })
            .collect();
        let square: f64 = missing.iter().map(|[x, y]| x * x + y * y).sum();
        let misfit = (square / missing.len() as f64).sqrt() as f32 / projection.pixels_per_cm;
        let residual = residual(model, &missing, &weights);
        let irises = [468, 473].map(|first| {
            let [x, y] = landmarks[first];
            let ring = &landmarks[first + 1..first + 5];
            let radius = ring
                .iter()
                .map(|[px, py]| (px - x).hypot(py - y))
                .sum::<f32>()
                / 4.0;
            Iris {
                centre: [x, y],
                radius,
            }
        });
        let mut fit = Self {
            normals: normals(&model.skin_triangles, &projected[..model.skin]),
            portrait_points: projected.clone(),
            landmarks: landmarks.to_vec(),
            projection,
            person,
            expression,
            projected,
            residual,
            irises,
            misfit,
        };
        for (before, [x, y]) in fit.portrait_points.iter_mut().zip(&fit.residual) {
            before[0] += x;
            before[1] += y;
        }
        Some(fit)
    }

    /// The bounding box (left, top, right, bottom) of the skin with a face mask above `least`.
    pub fn face_box(&self, model: &Model, least: f32) -> [f32; 4] {
        let far = f32::INFINITY;
        let points = self.portrait_points.iter().zip(&model.face_mask);
        let face = points
            .filter(|(_, mask)| **mask > least)
            .map(|(point, _)| point);
        face.fold([far, far, -far, -far], |[l, t, r, b], [x, y, _]| {
            [l.min(*x), t.min(*y), r.max(*x), b.max(*y)]
        })
    }

    /// The head with other coefficients, all vertices in pixels, without the residual.
    pub fn posed(&self, model: &Model, expression: &[f32]) -> Vec<Point> {
        posed(model, &self.person, expression, &self.projection)
    }

    /// The same fit in a picture scaled by `zoom` whose first pixel is at `(x, y)` of this one.
    pub fn in_view(&self, zoom: f32, (x, y): (f32, f32)) -> Self {
        let point = |[px, py, pz]: &Point| [(px - x) * zoom, (py - y) * zoom, pz * zoom];
        let flat = |[px, py]: &[f32; 2]| [(px - x) * zoom, (py - y) * zoom];
        Self {
            projection: self.projection.in_view(zoom, x, y),
            person: self.person.clone(),
            expression: self.expression.clone(),
            projected: self.projected.iter().map(point).collect(),
            residual: self.residual.iter().map(|d| d.map(|v| v * zoom)).collect(),
            portrait_points: self.portrait_points.iter().map(point).collect(),
            normals: self.normals.clone(),
            irises: self.irises.map(|iris| Iris {
                centre: flat(&iris.centre),
                radius: iris.radius * zoom,
            }),
            landmarks: self.landmarks.iter().map(flat).collect(),
            misfit: self.misfit,
        }
    }
}

/// Relative regularisation weight of an expression's coefficient.
fn prior_weight(name: &str) -> f64 {
    let any = |list: &[&str]| list.iter().any(|start| name.starts_with(start));
    if any(&COMMON) {
        0.15
    } else if any(&UNCOMMON) {
        1.0
    } else {
        1e4
    }
}

/// The landmarks' vertices with some shapes applied.
fn at_landmarks(model: &Model, coefficients: &[f64], shapes: &[Vec<Point>]) -> Vec<[f64; 3]> {
    let mut at: Vec<[f64; 3]> = model
        .landmarks
        .iter()
        .map(|vertex| model.neutral[*vertex].map(f64::from))
        .collect();
    add(&mut at, model, coefficients, shapes);
    at
}

fn shape(model: &Model, identity: &[f64], expression: &[f64]) -> Vec<[f64; 3]> {
    let mut at = at_landmarks(model, identity, &model.identities);
    add(&mut at, model, expression, &model.expressions);
    at
}

fn add(at: &mut [[f64; 3]], model: &Model, coefficients: &[f64], shapes: &[Vec<Point>]) {
    for (factor, shape) in coefficients.iter().zip(shapes) {
        if *factor == 0.0 {
            continue;
        }
        for (at, vertex) in at.iter_mut().zip(&model.landmarks) {
            for (value, by) in at.iter_mut().zip(shape[*vertex]) {
                *value += factor * f64::from(by);
            }
        }
    }
}

/// The person's head with a neutral expression.
fn person(model: &Model, identity: &[f64]) -> Vec<Point> {
    let mut person = model.neutral.clone();
    let (skin, mouth) = person.split_at_mut(model.skin);
    let shapes = model.identities.iter().zip(&model.identities_of_mouth);
    for (factor, (shape, of_mouth)) in identity.iter().zip(shapes) {
        let factor = *factor as f32;
        for (at, by) in skin.iter_mut().zip(shape) {
            *at = at.plus(*by, factor);
        }
        for at in &mut *mouth {
            *at = at.plus(*of_mouth, factor);
        }
    }
    person
}

fn posed(
    model: &Model,
    person: &[Point],
    expression: &[f32],
    projection: &Projection,
) -> Vec<Point> {
    let mut at = person.to_vec();
    for (factor, shape) in expression.iter().zip(&model.expressions) {
        if *factor != 0.0 {
            for (at, by) in at.iter_mut().zip(shape) {
                *at = at.plus(*by, *factor);
            }
        }
    }
    for (number, shape) in &model.jaw {
        let factor = expression[*number];
        if factor != 0.0 {
            for (at, by) in at[model.skin..].iter_mut().zip(shape) {
                *at = at.plus(*by, factor);
            }
        }
    }
    for at in &mut at {
        *at = projection.point(*at);
    }
    at
}

/// Unit normals of vertices that are in pixels (y down); the normals have y up.
pub(super) fn normals(triangles: &[[u32; 3]], at: &[Point]) -> Vec<Point> {
    let mut normals = vec![[0.0f32; 3]; at.len()];
    let up = |[x, y, z]: Point| [x, -y, z];
    for corners in triangles {
        let [a, b, c] = corners.map(|corner| up(at[corner as usize]));
        let minus = |a: Point, b: Point| [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
        let normal = cross(minus(b, a), minus(c, a));
        for corner in corners {
            let sum = &mut normals[*corner as usize];
            *sum = sum.plus(normal, 1.0);
        }
    }
    for normal in &mut normals {
        let length = dot(*normal, *normal).sqrt() + 1e-9;
        *normal = normal.map(|v| v / length);
    }
    normals
}

/// A scaled orthographic pose: two rows of a scaled rotation, and a translation.
struct Pose {
    rows: [[f64; 3]; 2],
    shift: [f64; 2],
    pixels_per_cm: f64,
}

impl Pose {
    /// The pose that best maps `shape` to `target`: least squares, then the nearest scaled rotation.
    fn of(shape: &[[f64; 3]], target: &[[f64; 2]], weights: &[Weight]) -> Option<Self> {
        let total: f64 = weights.iter().map(|w| w.fit).sum();
        let (mut mean, mut to) = ([0.0; 3], [0.0; 2]);
        for ((point, target), weight) in shape.iter().zip(target).zip(weights) {
            for (mean, v) in mean.iter_mut().zip(point) {
                *mean += weight.fit * v / total;
            }
            for (to, v) in to.iter_mut().zip(target) {
                *to += weight.fit * v / total;
            }
        }
        let mut normal = Dense::zeros(3);
        let mut right = [[0.0; 3]; 2];
        for ((point, target), weight) in shape.iter().zip(target).zip(weights) {
            let w = weight.fit * weight.fit;
            let point: [f64; 3] = std::array::from_fn(|k| point[k] - mean[k]);
            for i in 0..3 {
                for j in 0..=i {
                    normal.add(i, j, w * point[i] * point[j]);
                }
                for (right, (target, to)) in right.iter_mut().zip(target.iter().zip(to)) {
                    right[i] += w * point[i] * (target - to);
                }
            }
        }
        let normal = normal.factored()?;
        let [a, b] = right.map(|row| normal.solve(&row));
        // The nearest matrix with orthogonal rows of equal length: the polar factor times the mean singular value.
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (aa, ab, bb) = (dot(&a, &a), dot(&a, &b), dot(&b, &b));
        let root = (aa * bb - ab * ab).max(0.0).sqrt();
        let trace = (aa + bb + 2.0 * root).sqrt();
        if !(root > 1e-9 && trace.is_finite()) {
            return None;
        }
        // The square root of the 2x2 Gram matrix is the matrix plus `root`, over `trace`.
        let (saa, sab, sbb) = ((aa + root) / trace, ab / trace, (bb + root) / trace);
        let pixels_per_cm = 0.5 * (saa + sbb);
        let determinant = saa * sbb - sab * sab;
        let rows = [
            std::array::from_fn(|k| pixels_per_cm * (sbb * a[k] - sab * b[k]) / determinant),
            std::array::from_fn(|k| pixels_per_cm * (saa * b[k] - sab * a[k]) / determinant),
        ];
        let shift = [0, 1].map(|i| to[i] - dot(&rows[i], &mean));
        Some(Self {
            rows,
            shift,
            pixels_per_cm,
        })
    }

    /// Ridge regression of the shapes' coefficients over `base`, with prior `mean` and weights `ridge`.
    fn coefficients(
        &self,
        shapes: &[Vec<Point>],
        base: &[[f64; 3]],
        model: &Model,
        target: &[[f64; 2]],
        weights: &[Weight],
        (ridge, mean): (&[f64], &[f64]),
    ) -> Option<Vec<f64>> {
        let n = shapes.len();
        let project = |v: [f64; 3]| {
            self.rows
                .map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
        };
        // Two rows of the system for each landmark, in centimetres.
        let mut system = vec![0.0; n * 2 * 468];
        let mut wanted = vec![0.0; 2 * 468];
        for (i, ((base, target), weight)) in base.iter().zip(target).zip(weights).enumerate() {
            let at = project(*base);
            let scale = weight.fit / self.pixels_per_cm;
            for k in 0..2 {
                wanted[2 * i + k] = scale * (target[k] - self.shift[k] - at[k]);
            }
            for (j, shape) in shapes.iter().enumerate() {
                let by = project(shape[model.landmarks[i]].map(f64::from));
                for k in 0..2 {
                    system[j * 936 + 2 * i + k] = scale * by[k];
                }
            }
        }
        let row = |j: usize| &system[j * 936..(j + 1) * 936];
        let mut normal = Dense::zeros(n);
        let mut right = vec![0.0; n];
        for i in 0..n {
            for j in 0..=i {
                normal.add(i, j, product(row(i), row(j)));
            }
            normal.add(i, i, ridge[i]);
            right[i] = product(row(i), &wanted) + ridge[i] * mean[i];
        }
        Some(normal.factored()?.solve(&right))
    }

    fn projection(&self) -> Option<Projection> {
        let [right, up] = self.rows.map(|row| row.map(|v| v as f32));
        let pixels_per_cm = self.pixels_per_cm as f32;
        let near = cross(right, up).map(|v| v / pixels_per_cm);
        let down = [-right[1], up[1]];
        let length = down[0].hypot(down[1]);
        (pixels_per_cm > 1e-3 && length > 1e-6 * pixels_per_cm).then_some(Projection {
            rows: [right, up, near],
            shift: self.shift.map(|v| v as f32),
            pixels_per_cm,
            down: down.map(|v| v / length),
        })
    }
}

/// The smooth displacement of the skin that moves its landmarks to the face's: minimises the displacement's curvature and
/// the landmarks' distance.
fn residual(model: &Model, missing: &[[f64; 2]], weights: &[Weight]) -> Vec<[f32; 2]> {
    static SYSTEM: OnceLock<Sparse> = OnceLock::new();
    let system = SYSTEM.get_or_init(|| residual_system(model, weights));
    let mut right = vec![[0.0; 2]; model.face];
    for ((vertex, missing), weight) in model.landmarks.iter().zip(missing).zip(weights) {
        for (right, missing) in right[*vertex].iter_mut().zip(missing) {
            *right += weight.residual * missing;
        }
    }
    let solved = system.solve(&right);
    let mut displacement: Vec<[f32; 2]> = solved.iter().map(|d| d.map(|v| v as f32)).collect();
    displacement.resize(model.skin, [0.0; 2]);
    displacement
}

/// 6 LᵀL + CᵀWC + 2e-4, with L the uniform Laplacian of the skin and C the selection of the landmarks' vertices.
fn residual_system(model: &Model, weights: &[Weight]) -> Sparse {
    let mut neighbours = vec![Vec::new(); model.skin];
    for triangle in &model.skin_triangles {
        for i in 0..3 {
            let (a, b) = (triangle[i] as usize, triangle[(i + 1) % 3] as usize);
            for (a, b) in [(a, b), (b, a)] {
                if !neighbours[a].contains(&b) {
                    neighbours[a].push(b);
                }
            }
        }
    }
    let mut entries = Vec::new();
    for (vertex, around) in neighbours.iter().enumerate().take(model.face) {
        // A row of L: 1 at the vertex, minus the mean of its neighbours.
        let share = -1.0 / around.len().max(1) as f64;
        let inside = around.iter().filter(|other| **other < model.face);
        let row: Vec<(usize, f64)> = inside
            .map(|other| (*other, share))
            .chain([(vertex, 1.0)])
            .collect();
        for (i, a) in &row {
            for (j, b) in &row {
                if j <= i {
                    entries.push((*i, *j, 6.0 * a * b));
                }
            }
        }
    }
    for (vertex, weight) in model.landmarks.iter().zip(weights) {
        entries.push((*vertex, *vertex, weight.residual));
    }
    entries.extend((0..model.face).map(|vertex| (vertex, vertex, 2e-4)));
    Sparse::factored(model.face, &entries)
}
