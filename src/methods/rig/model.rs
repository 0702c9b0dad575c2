//! The head model that is fitted to portraits: ICT-FaceKit Light (Li et al. 2020, "Learning Formation of Physically-Based
//! Face Attributes"), reduced to the visible parts, from `weights/rig.safetensors`.
//!
//! Lengths are centimetres; x runs to the person's left, y up, z to the viewer. The vertices of the face come first, then
//! those of the neck and the back of the head, then those of teeth, gums and tongue.

use std::collections::HashMap;
use std::sync::OnceLock;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::math::smoothstep_between;
use crate::weights::rig_head;

/// A point or direction in space.
pub(super) type Point = [f32; 3];

/// The two edges of an opening, each a row of vertices including both corners: an eye's from the nose outwards, the lips'
/// from the picture's left to its right.
#[derive(Debug, Clone)]
pub(super) struct OpeningEdges {
    pub upper: Vec<usize>,
    pub lower: Vec<usize>,
    /// For every vertex of the skin the distance along the skin to the nearest vertex of the row, and that vertex's index
    /// in the row; infinite beyond 3 cm. Corners are ignored.
    pub to_upper: Vec<(f32, usize)>,
    pub to_lower: Vec<(f32, usize)>,
}

/// The head and its shapes.
#[derive(Debug)]
pub(super) struct Model {
    /// All vertices of the mean head with a neutral expression.
    pub neutral: Vec<Point>,
    /// Number of vertices of the face, which come first.
    pub face: usize,
    /// Number of vertices of the skin, face included; the mouth's follow.
    pub skin: usize,
    /// Displacements of the skin's vertices for one standard deviation of each shape parameter.
    pub identities: Vec<Vec<Point>>,
    /// The same for the mouth's vertices, which move together.
    pub identities_of_mouth: Vec<Point>,
    pub names: Vec<String>,
    /// Displacements of the face's vertices for each full expression, in the order of [`Model::names`].
    pub expressions: Vec<Vec<Point>>,
    /// Displacements of the mouth's vertices with the index of their expression: those of the jaw.
    pub jaw: Vec<(usize, Vec<Point>)>,
    pub face_triangles: Vec<[u32; 3]>,
    /// All triangles of the skin, the face's first.
    pub skin_triangles: Vec<[u32; 3]>,
    pub gums: Vec<[u32; 3]>,
    pub teeth: Vec<[u32; 3]>,
    /// The vertex of each of the 468 landmarks of the skin.
    pub landmarks: Vec<usize>,
    /// The eyelids: the person's right eye, which is on the picture's left, then the left.
    pub eyes: [OpeningEdges; 2],
    pub eye_centres: [Point; 2],
    /// The inner edges of the lips.
    pub lips: OpeningEdges,
    /// Whether each vertex belongs to the face: 1 on it, 0 on the neck and behind the ears.
    pub face_mask: Vec<f32>,
    index: HashMap<String, usize>,
}

/// The shipped file is invalid.
#[derive(Debug, thiserror::Error)]
#[error("the head's file is damaged: {0}")]
pub(super) struct Damaged(String);

impl Model {
    /// The model that comes with the program.
    ///
    /// # Errors
    /// [`Damaged`] only if the program was built with a damaged file.
    pub fn bundled() -> Result<&'static Model, Damaged> {
        static MODEL: OnceLock<Model> = OnceLock::new();
        if let Some(model) = MODEL.get() {
            return Ok(model);
        }
        let model = Model::read(rig_head())?;
        Ok(MODEL.get_or_init(|| model))
    }

    fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let damaged = |error: &dyn std::fmt::Display| Damaged(error.to_string());
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(&e))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| damaged(&e))?;
        let file = File(&tensors);
        let fields = header.metadata().clone().unwrap_or_default();
        let listed = fields.get("expressions").map_or("", String::as_str);
        let names: Vec<String> = listed.split(',').map(str::to_owned).collect();
        let index: HashMap<String, usize> = names
            .iter()
            .enumerate()
            .map(|(i, name)| (name.clone(), i))
            .collect();
        let step = file
            .scales("neutral.scale")?
            .first()
            .copied()
            .unwrap_or(1.0);
        let neutral = points(file.numbers("neutral")?.into_iter().map(|v| v * step));
        let identities = file.shapes("identity")?;
        let expressions = file.shapes("expression")?;
        let skin = identities.first().map_or(0, Vec::len);
        let face = expressions.first().map_or(0, Vec::len);
        let identities_of_mouth = points(file.numbers("identity.mouth")?.into_iter());
        let mut jaw = Vec::new();
        for (name, shape) in ["jawOpen", "jawLeft", "jawRight", "jawForward"]
            .into_iter()
            .zip(file.shapes("jaw")?)
        {
            let number = index.get(name).copied();
            jaw.push((number.ok_or_else(|| damaged(&name))?, shape));
        }
        let face_triangles = file.triangles("triangles.face")?;
        let mut skin_triangles = face_triangles.clone();
        skin_triangles.extend(file.triangles("triangles.back")?);
        let graph = Graph::of(&skin_triangles, &neutral[..skin.min(neutral.len())]);
        let ring = |name: &str| -> Result<OpeningEdges, Damaged> {
            let upper = file.indices(&format!("{name}.upper"))?;
            let lower = file.indices(&format!("{name}.lower"))?;
            Ok(OpeningEdges {
                to_upper: graph.distances(&upper),
                to_lower: graph.distances(&lower),
                upper,
                lower,
            })
        };
        let centres = points(file.numbers("eye.centres")?.into_iter());
        let model = Self {
            face_mask: neutral[..skin.min(neutral.len())]
                .iter()
                .map(face_mask_at)
                .collect(),
            face,
            skin,
            identities,
            identities_of_mouth,
            expressions,
            jaw,
            gums: file.triangles("triangles.gums")?,
            teeth: file.triangles("triangles.teeth")?,
            landmarks: file.indices("landmarks")?,
            eyes: [ring("eye.right")?, ring("eye.left")?],
            eye_centres: centres.try_into().map_err(|_| damaged(&"eye.centres"))?,
            lips: ring("lips")?,
            face_triangles,
            skin_triangles,
            neutral,
            names,
            index,
        };
        model.checked()
    }

    /// Rejects inconsistent counts and indices.
    fn checked(self) -> Result<Self, Damaged> {
        let all = self.neutral.len();
        let below =
            |list: &[[u32; 3]], end: usize| list.iter().flatten().all(|v| (*v as usize) < end);
        let rings = [&self.eyes[0], &self.eyes[1], &self.lips];
        let sound = self.face <= self.skin
            && self.skin <= all
            && self.names.len() == self.expressions.len()
            && self.identities_of_mouth.len() == self.identities.len()
            && self.identities.iter().all(|shape| shape.len() == self.skin)
            && self
                .expressions
                .iter()
                .all(|shape| shape.len() == self.face)
            && self
                .jaw
                .iter()
                .all(|(_, shape)| shape.len() == all - self.skin)
            && below(&self.skin_triangles, self.skin)
            && below(&self.face_triangles, self.face)
            && below(&self.gums, all)
            && below(&self.teeth, all)
            && self.landmarks.len() == 468
            && self.landmarks.iter().all(|v| *v < self.face)
            && rings
                .into_iter()
                .flat_map(|r| r.upper.iter().chain(&r.lower))
                .all(|v| *v < self.face);
        if sound {
            Ok(self)
        } else {
            Err(Damaged("its parts don't fit together".to_owned()))
        }
    }

    /// The index of an expression of the person's right or left half, or of one without halves.
    pub fn expression(&self, name: &str, half: Half) -> Option<usize> {
        let sided = self.index.get(&format!("{name}_{}", half.letter()));
        sided.or_else(|| self.index.get(name)).copied()
    }
}

/// A half of the face, from the person's view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    /// On the picture's left.
    Right,
    /// On the picture's right.
    Left,
}

impl Half {
    pub const BOTH: [Half; 2] = [Half::Right, Half::Left];

    fn letter(self) -> char {
        match self {
            Half::Right => 'R',
            Half::Left => 'L',
        }
    }
}

/// 1 on the face, 0 on the neck, behind the ears and on the back of the head.
fn face_mask_at(&[_, y, z]: &Point) -> f32 {
    let under = smoothstep_between(-6.6, -8.0, y) * (1.0 - smoothstep_between(5.5, 8.5, z));
    smoothstep_between(-1.0, 3.0, z) * smoothstep_between(-9.9, -8.6, y) * (1.0 - under)
}

/// The edges of a mesh with their lengths.
pub(super) struct Graph(Vec<Vec<(usize, f32)>>);

impl Graph {
    pub fn of(triangles: &[[u32; 3]], at: &[Point]) -> Self {
        let mut neighbours = vec![Vec::new(); at.len()];
        for triangle in triangles {
            for i in 0..3 {
                let (a, b) = (triangle[i] as usize, triangle[(i + 1) % 3] as usize);
                if a >= at.len() || b >= at.len() {
                    continue;
                }
                let length = (0..3)
                    .map(|k| (at[a][k] - at[b][k]).powi(2))
                    .sum::<f32>()
                    .sqrt();
                for (a, b) in [(a, b), (b, a)] {
                    let list: &mut Vec<(usize, f32)> = &mut neighbours[a];
                    if list.iter().all(|(other, _)| *other != b) {
                        list.push((b, length));
                    }
                }
            }
        }
        Self(neighbours)
    }

    /// For every vertex the distance to the nearest vertex of a row, ignoring the row's ends, and that vertex's index in
    /// the row, up to 3 cm.
    fn distances(&self, row: &[usize]) -> Vec<(f32, usize)> {
        let inner = row.iter().copied().enumerate();
        let inner = inner.take(row.len().saturating_sub(1)).skip(1);
        self.nearest(inner, 3.0)
    }

    /// For every vertex the distance to the nearest start, and that start's first value, up to a distance (Dijkstra's
    /// algorithm).
    pub fn nearest(
        &self,
        starts: impl Iterator<Item = (usize, usize)>,
        farthest: f32,
    ) -> Vec<(f32, usize)> {
        use std::cmp::Reverse;
        use std::collections::BinaryHeap;
        let mut best = vec![(f32::INFINITY, 0); self.0.len()];
        let mut open = BinaryHeap::new();
        for (place, vertex) in starts {
            if vertex < best.len() {
                best[vertex] = (0.0, place);
                open.push(Reverse((0, vertex)));
            }
        }
        // The bits of positive floats are ordered like the floats.
        while let Some(Reverse((bits, vertex))) = open.pop() {
            let (length, place) = best[vertex];
            if bits != length.to_bits() {
                continue;
            }
            for &(next, edge) in &self.0[vertex] {
                let distance = length + edge;
                if distance < best[next].0 && distance <= farthest {
                    best[next] = (distance, place);
                    open.push(Reverse((distance.to_bits(), next)));
                }
            }
        }
        best
    }
}

/// The file's tensors by name.
struct File<'a>(&'a SafeTensors<'a>);

impl File<'_> {
    fn tensor(&self, name: &str) -> Result<TensorView<'_>, Damaged> {
        self.0
            .tensor(name)
            .map_err(|_| Damaged(format!("{name} is missing")))
    }

    /// A tensor's unscaled values, from any of the stored types.
    fn numbers(&self, name: &str) -> Result<Vec<f32>, Damaged> {
        let tensor = self.tensor(name)?;
        let data = tensor.data();
        Ok(match tensor.dtype() {
            Dtype::I8 => data.iter().map(|v| f32::from(v.cast_signed())).collect(),
            Dtype::I16 => {
                let (values, _) = data.as_chunks::<2>();
                values
                    .iter()
                    .map(|v| f32::from(i16::from_le_bytes(*v)))
                    .collect()
            }
            Dtype::U16 => {
                let (values, _) = data.as_chunks::<2>();
                values
                    .iter()
                    .map(|v| f32::from(u16::from_le_bytes(*v)))
                    .collect()
            }
            Dtype::F32 => {
                let (values, _) = data.as_chunks::<4>();
                values.iter().map(|v| f32::from_le_bytes(*v)).collect()
            }
            other => return Err(Damaged(format!("{name} is stored as {other:?}"))),
        })
    }

    fn scales(&self, name: &str) -> Result<Vec<f32>, Damaged> {
        self.numbers(name)
    }

    /// Several shapes with equal numbers of vertices, and a scale for each.
    fn shapes(&self, name: &str) -> Result<Vec<Vec<Point>>, Damaged> {
        let scales = self.scales(&format!("{name}.scale"))?;
        let numbers = self.numbers(name)?;
        if scales.is_empty() || numbers.len() % scales.len() != 0 {
            return Err(Damaged(format!("{name} has a different number of scales")));
        }
        let length = (numbers.len() / scales.len()).max(1);
        let shapes = numbers.chunks(length).zip(scales);
        Ok(shapes
            .map(|(shape, scale)| points(shape.iter().map(|v| v * scale)))
            .collect())
    }

    fn indices(&self, name: &str) -> Result<Vec<usize>, Damaged> {
        Ok(self
            .numbers(name)?
            .into_iter()
            .map(|v| v as usize)
            .collect())
    }

    fn triangles(&self, name: &str) -> Result<Vec<[u32; 3]>, Damaged> {
        let numbers = self.numbers(name)?;
        let (corners, _) = numbers.as_chunks::<3>();
        Ok(corners.iter().map(|c| c.map(|v| v as u32)).collect())
    }
}

fn points(numbers: impl Iterator<Item = f32>) -> Vec<Point> {
    let numbers: Vec<f32> = numbers.collect();
    let (points, _) = numbers.as_chunks::<3>();
    points.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_head_model_is_complete() {
        let model = Model::bundled().unwrap();
        assert_eq!(model.identities.len(), 20);
        for name in [
            "mouthSmile",
            "eyeBlink",
            "jawOpen",
            "browInnerUp",
            "noseSneer",
        ] {
            for half in Half::BOTH {
                assert!(model.expression(name, half).is_some(), "{name}");
            }
        }
        assert!(model.expression("tailWag", Half::Left).is_none());
    }

    #[test]
    fn the_edges_of_eyes_and_mouth_run_outwards_and_share_their_corners() {
        let model = Model::bundled().unwrap();
        let rings = [
            (&model.eyes[0], -1.0),
            (&model.eyes[1], 1.0),
            (&model.lips, 1.0),
        ];
        for (ring, outwards) in rings {
            for row in [&ring.upper, &ring.lower] {
                let x: Vec<f32> = row
                    .iter()
                    .map(|v| outwards * model.neutral[*v][0])
                    .collect();
                assert!(x[0] < x[x.len() / 2] && x[x.len() / 2] < x[x.len() - 1]);
            }
            assert_eq!(ring.upper[0], ring.lower[0]);
            assert_eq!(ring.upper.last(), ring.lower.last());
        }
        assert!(model.neutral[model.eyes[0].upper[0]][0] < 0.0);
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let whole = rig_head();
        assert!(Model::read(&whole[..whole.len() / 2]).is_err());
        assert!(Model::read(&[]).is_err());
    }
}
