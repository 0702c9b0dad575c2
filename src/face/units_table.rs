//! The coefficients of [`units`](super::units), written by its fitting recipe. How they came about stands there.

use super::unit::Measure::{Dist, Front, Out, Score, Up};
use super::unit::{Measure, Term, Unit};

/// Landmarks that are each other's mirror image: the person's right, the person's left. Others are on the midline.
#[rustfmt::skip]
pub(super) const MIRROR: [(u16, u16); 54] = [
    (33, 263), (133, 362), (159, 386), (145, 374), (158, 385), (153, 380), (160, 387), (144, 373), (70, 300),
    (63, 293), (105, 334), (66, 296), (107, 336), (53, 283), (52, 282), (65, 295), (55, 285), (129, 358), (98, 327),
    (64, 294), (115, 344), (193, 417), (36, 266), (205, 425), (50, 280), (118, 347), (228, 448), (230, 450),
    (61, 291), (78, 308), (37, 267), (39, 269), (82, 312), (81, 311), (87, 317), (178, 402), (84, 314), (181, 405),
    (91, 321), (216, 436), (212, 432), (57, 287), (186, 410), (92, 322), (165, 391), (202, 422), (204, 424),
    (108, 337), (132, 361), (468, 473), (43, 273), (225, 445), (27, 257), (23, 253),
];

/// Landmarks that expressions hardly move: which, how much it counts in the alignment, and where it lies on the usual
/// face (x right, y down, z back, the root of the nose at the origin, the outer eye corners 1 apart).
#[rustfmt::skip]
pub(super) const RIGID: [(u16, f32, [f32; 3]); 29] = [
    (33, 2.0, [-0.5, 0.059, 0.268]),
    (263, 2.0, [0.5, 0.059, 0.268]),
    (133, 2.0, [-0.199, 0.072, 0.207]),
    (362, 2.0, [0.199, 0.072, 0.207]),
    (168, 2.0, [0.0, 0.0, 0.0]),
    (6, 2.0, [0.0, 0.079, -0.057]),
    (197, 1.5, [0.0, 0.159, -0.119]),
    (195, 1.0, [0.0, 0.229, -0.187]),
    (5, 1.0, [0.0, 0.305, -0.258]),
    (4, 0.7, [0.0, 0.402, -0.292]),
    (10, 0.5, [0.0, -0.572, 0.085]),
    (109, 0.5, [-0.218, -0.565, 0.107]),
    (338, 0.5, [0.218, -0.565, 0.107]),
    (67, 0.5, [-0.404, -0.526, 0.181]),
    (297, 0.5, [0.404, -0.526, 0.181]),
    (103, 0.5, [-0.576, -0.441, 0.308]),
    (332, 0.5, [0.576, -0.441, 0.308]),
    (54, 0.5, [-0.692, -0.324, 0.449]),
    (284, 0.5, [0.692, -0.324, 0.449]),
    (21, 0.5, [-0.766, -0.179, 0.585]),
    (251, 0.5, [0.766, -0.179, 0.585]),
    (162, 0.7, [-0.805, -0.023, 0.729]),
    (389, 0.7, [0.805, -0.023, 0.729]),
    (127, 1.0, [-0.821, 0.168, 0.839]),
    (356, 1.0, [0.821, 0.168, 0.839]),
    (234, 0.7, [-0.818, 0.345, 0.884]),
    (454, 0.7, [0.818, 0.345, 0.884]),
    (122, 1.0, [-0.066, 0.1, -0.028]),
    (351, 1.0, [0.066, 0.1, -0.028]),
];

/// The blendshapes that are read, by their place among the model's 52; one without sides is given twice.
#[rustfmt::skip]
pub(super) const SCORES: [(u8, u8); 23] = [
    (1, 2), // 0 browDown
    (3, 3), // 1 browInnerUp
    (4, 5), // 2 browOuterUp
    (9, 10), // 3 eyeBlink
    (11, 12), // 4 eyeLookDown
    (17, 18), // 5 eyeLookUp
    (19, 20), // 6 eyeSquint
    (21, 22), // 7 eyeWide
    (25, 25), // 8 jawOpen
    (27, 27), // 9 mouthClose
    (28, 29), // 10 mouthDimple
    (30, 31), // 11 mouthFrown
    (32, 32), // 12 mouthFunnel
    (34, 35), // 13 mouthLowerDown
    (36, 37), // 14 mouthPress
    (38, 38), // 15 mouthPucker
    (40, 40), // 16 mouthRollLower
    (41, 41), // 17 mouthRollUpper
    (42, 42), // 18 mouthShrugLower
    (43, 43), // 19 mouthShrugUpper
    (44, 45), // 20 mouthSmile
    (46, 47), // 21 mouthStretch
    (48, 49), // 22 mouthUpperUp
];

const fn term(measure: Measure, rest: f32, weight: f32, relative_weight: f32) -> Term {
    Term {
        measure,
        rest,
        weight,
        relative_weight,
    }
}

/// The seventeen units in OpenFace order. A row is what is measured, what the usual relaxed face has, the weight, and
/// the weight against the person's own relaxed face.
#[rustfmt::skip]
pub(super) const UNITS: [Unit; 17] = [
    // AU1
    Unit { threshold: 0.375, gain: 3.5, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Up(105, 159), 0.202, 4.911, 6.104),
        term(Up(63, 33), 0.217, 0.0, -1.989),
        term(Up(107, 70), 0.092, 5.195, 11.9),
        term(Out(107, 168), 0.166, -5.475, -19.533),
        term(Out(55, 168), 0.145, 0.0, 4.256),
        term(Front(107, 168), 0.001, -12.393, 0.0),
        term(Front(105, 168), -0.106, 8.096, 0.0),
        term(Up(145, 133), -0.012, -1.277, 0.0),
        term(Up(27, 159), 0.064, -7.884, 0.0),
        term(Dist(33, 133), 0.312, 2.951, 0.0),
        term(Score(0), 0.0, 0.0, -0.09), // browDown
        term(Score(1), 0.001, 0.192, 0.529), // browInnerUp
        term(Score(3), 0.0, 0.0, -0.27), // eyeBlink
        term(Score(4), 0.141, 0.381, 0.0), // eyeLookDown
        term(Score(5), 0.0, 0.0, 0.804), // eyeLookUp
        term(Score(6), 0.0, 0.0, -0.904), // eyeSquint
    ] },
    // AU2
    Unit { threshold: -0.039, gain: 2.2, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Up(107, 133), 0.252, -0.37, -3.552),
        term(Up(105, 159), 0.198, 5.005, 4.42),
        term(Up(63, 33), 0.217, 2.435, 9.599),
        term(Up(55, 133), 0.157, -5.262, -2.81),
        term(Up(53, 33), 0.175, 0.992, 3.006),
        term(Up(66, 63), 0.042, 4.385, 0.0),
        term(Front(105, 168), -0.104, 0.512, -0.19),
        term(Up(225, 33), 0.096, -4.664, -7.772),
        term(Score(0), 0.0, -0.152, -0.294), // browDown
        term(Score(1), 0.0, -0.372, -0.234), // browInnerUp
        term(Score(2), 0.0, 0.506, 0.774), // browOuterUp
        term(Score(3), 0.0, -0.952, -1.513), // eyeBlink
        term(Score(5), 0.0, 0.045, 0.228), // eyeLookUp
    ] },
    // AU4
    Unit { threshold: 0.166, gain: 5.0, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Up(63, 33), 0.223, -1.152, 0.0),
        term(Up(70, 33), 0.148, 0.0, 12.334),
        term(Up(52, 159), 0.145, -1.375, 0.0),
        term(Up(53, 33), 0.175, 0.0, -19.783),
        term(Up(107, 70), 0.092, 1.771, 0.0),
        term(Out(107, 168), 0.166, -6.183, -9.549),
        term(Out(105, 168), 0.477, 3.908, 0.0),
        term(Dist(107, 9), 0.167, -5.895, 0.0),
        term(Dist(55, 193), 0.125, 1.361, 0.0),
        term(Front(107, 168), 0.003, 0.0, -6.164),
        term(Front(9, 168), 0.012, 0.0, 18.177),
        term(Dist(107, 108), 0.208, -1.539, 0.0),
        term(Up(145, 33), -0.025, -3.036, 0.0),
        term(Up(468, 145), 0.044, -4.945, 0.0),
        term(Dist(33, 133), 0.312, 4.991, 4.214),
        term(Up(129, 168), -0.459, 0.0, 5.293),
        term(Dist(129, 133), 0.426, 0.0, 8.396),
        term(Score(0), 0.337, 0.11, 0.0), // browDown
        term(Score(1), 0.001, 0.075, 0.0), // browInnerUp
        term(Score(4), 0.0, 0.0, -0.319), // eyeLookDown
        term(Score(7), 0.005, -0.944, 0.0), // eyeWide
    ] },
    // AU5
    Unit { threshold: 0.257, gain: 2.2, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Up(105, 159), 0.198, 1.666, 3.881),
        term(Up(65, 159), 0.135, -3.024, -4.934),
        term(Dist(159, 145), 0.092, 2.977, 6.097),
        term(Dist(158, 153), 0.083, 6.084, 11.438),
        term(Dist(160, 144), 0.08, 3.282, 1.025),
        term(Up(145, 133), -0.018, -5.67, -3.186),
        term(Up(145, 33), -0.027, 0.591, 1.78),
        term(Up(468, 145), 0.05, -5.997, -14.425),
        term(Up(33, 133), 0.011, -1.885, 1.429),
        term(Dist(33, 133), 0.312, -4.903, 0.454),
        term(Score(4), 0.0, 0.123, 0.241), // eyeLookDown
        term(Score(5), 0.0, 0.45, 1.355), // eyeLookUp
        term(Score(6), 0.0, -0.09, -1.018), // eyeSquint
        term(Score(7), 0.0, 0.359, 1.335), // eyeWide
    ] },
    // AU6
    Unit { threshold: 0.154, gain: 2.2, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Dist(159, 145), 0.092, -0.287, -1.984),
        term(Up(145, 133), -0.018, 10.238, 13.561),
        term(Up(145, 118), 0.186, -1.436, 0.0),
        term(Up(205, 168), -0.518, 0.562, 0.0),
        term(Up(50, 168), -0.428, 0.461, 9.93),
        term(Front(118, 168), -0.188, 4.528, -4.624),
        term(Front(205, 168), -0.107, -7.033, -4.775),
        term(Front(36, 168), -0.081, 4.957, 5.887),
        term(Up(36, 168), -0.427, 0.543, -5.307),
        term(Out(61, 2), 0.304, 2.34, 1.632),
        term(Up(61, 168), -0.825, -1.126, -3.516),
        term(Score(4), 0.0, 0.101, 0.071), // eyeLookDown
        term(Score(20), 0.0, 0.172, 0.281), // mouthSmile
    ] },
    // AU7
    Unit { threshold: -0.096, gain: 2.2, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Dist(158, 153), 0.083, -4.518, 0.0),
        term(Up(159, 133), 0.072, -0.95, -0.669),
        term(Up(159, 33), 0.06, -0.656, -7.086),
        term(Up(145, 133), -0.018, 5.233, 3.895),
        term(Up(145, 33), -0.027, 4.125, 19.451),
        term(Up(33, 133), 0.011, -0.288, 4.57),
        term(Dist(33, 133), 0.312, 2.039, -1.588),
        term(Dist(145, 230), 0.104, -2.845, 1.512),
        term(Up(50, 168), -0.428, -0.872, -0.229),
        term(Score(0), 0.0, -0.076, 0.116), // browDown
        term(Score(3), 0.0, -0.76, -1.376), // eyeBlink
        term(Score(4), 0.0, -0.084, -0.033), // eyeLookDown
        term(Score(20), 0.0, -0.087, -0.006), // mouthSmile
    ] },
    // AU9
    Unit { threshold: 0.117, gain: 2.2, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Up(70, 33), 0.148, 1.435, 2.011),
        term(Up(55, 133), 0.157, -3.031, -15.753),
        term(Up(228, 33), -0.122, -4.14, -8.11),
        term(Up(4, 168), -0.387, -1.578, -2.98),
        term(Out(129, 4), 0.247, 0.685, 3.502),
        term(Dist(115, 133), 0.503, -2.298, -8.043),
        term(Up(115, 168), -0.423, 2.406, 4.672),
        term(Front(129, 168), -0.061, 1.806, 3.559),
        term(Score(0), 0.0, -0.074, -0.532), // browDown
        term(Score(20), 0.0, -0.05, 0.122), // mouthSmile
        term(Score(22), 0.0, 0.313, 0.216), // mouthUpperUp
    ] },
    // AU10
    Unit { threshold: 0.307, gain: 2.2, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Up(129, 168), -0.459, 3.155, 0.121),
        term(Up(64, 168), -0.484, -2.279, 2.126),
        term(Up(98, 4), -0.147, -3.797, 3.362),
        term(Dist(36, 129), 0.117, -6.176, -6.808),
        term(Dist(13, 14), 0.01, 1.127, 0.256),
        term(Dist(0, 13), 0.087, -2.542, -0.59),
        term(Up(81, 13), 0.005, -23.883, -33.336),
        term(Up(165, 2), -0.096, 11.768, 15.578),
        term(Score(8), 0.0, -0.567, -0.47), // jawOpen
        term(Score(9), 0.0, 1.323, -0.945), // mouthClose
        term(Score(17), 0.0, -0.259, -0.472), // mouthRollUpper
        term(Score(18), 0.0, -0.115, -0.145), // mouthShrugLower
        term(Score(20), 0.0, -0.119, -0.389), // mouthSmile
        term(Score(22), 0.0, 0.106, 0.16), // mouthUpperUp
    ] },
    // AU12
    Unit { threshold: 0.074, gain: 1.647, relative_threshold: 0.05, relative_gain: 1.196, terms: &[
        term(Out(61, 2), 0.304, 0.0, 0.0),
        term(Out(78, 2), 0.278, 3.106, 3.413),
        term(Up(61, 13), -0.002, 4.521, 3.889),
        term(Up(61, 17), 0.093, 1.984, 1.639),
        term(Up(61, 2), -0.266, 4.384, 3.689),
        term(Up(81, 13), 0.005, -11.37, -9.402),
        term(Dist(61, 129), 0.373, -1.066, 0.0),
        term(Up(57, 61), -0.004, -3.177, -2.193),
        term(Up(216, 61), 0.12, 5.374, 1.264),
        term(Score(8), 0.0, 0.109, 0.364), // jawOpen
        term(Score(10), 0.0, -1.16, -0.127), // mouthDimple
        term(Score(20), 0.0, 0.0, 0.032), // mouthSmile
        term(Score(21), 0.0, -0.403, -0.767), // mouthStretch
    ] },
    // AU14
    Unit { threshold: 0.109, gain: 2.2, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Front(129, 168), -0.061, 1.961, -0.632),
        term(Out(61, 2), 0.304, -0.695, 3.628),
        term(Up(61, 13), -0.002, 4.337, 3.882),
        term(Dist(0, 13), 0.087, 2.288, 0.056),
        term(Up(57, 61), -0.004, -17.646, -20.191),
        term(Dist(57, 61), 0.088, -10.584, 1.422),
        term(Out(57, 61), 0.086, 10.094, 5.757),
        term(Up(186, 61), 0.067, 7.348, 4.694),
        term(Dist(43, 61), 0.083, -7.223, -13.379),
        term(Score(8), 0.0, 0.033, 0.088), // jawOpen
        term(Score(16), 0.0, -0.422, -0.789), // mouthRollLower
        term(Score(17), 0.0, 0.509, 0.903), // mouthRollUpper
        term(Score(20), 0.0, 0.167, 0.091), // mouthSmile
        term(Score(21), 0.0, 0.866, 1.009), // mouthStretch
    ] },
    // AU15
    Unit { threshold: 0.194, gain: 2.2, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Out(61, 2), 0.304, 5.546, 7.304),
        term(Up(61, 13), -0.002, -3.948, -4.929),
        term(Up(84, 17), 0.006, -12.777, -40.267),
        term(Up(91, 17), 0.048, -1.608, 0.0),
        term(Dist(61, 129), 0.373, 2.155, 5.453),
        term(Out(91, 17), 0.226, -6.32, -6.793),
        term(Dist(165, 61), 0.236, 1.306, -0.529),
        term(Up(57, 61), -0.004, -2.722, 2.34),
        term(Up(202, 61), -0.12, 2.598, 6.062),
        term(Dist(17, 18), 0.126, -0.653, -1.479),
        term(Score(8), 0.0, -0.38, -0.737), // jawOpen
        term(Score(11), 0.0, 0.554, 0.174), // mouthFrown
        term(Score(16), 0.0, 0.039, -0.031), // mouthRollLower
        term(Score(21), 0.0, -0.322, -0.554), // mouthStretch
    ] },
    // AU17
    Unit { threshold: 0.1, gain: 2.2, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Up(0, 2), -0.205, 0.338, 0.0),
        term(Up(37, 2), -0.189, 4.88, 0.495),
        term(Up(39, 2), -0.205, -5.956, 0.289),
        term(Up(14, 2), -0.275, 1.216, 2.269),
        term(Front(17, 2), -0.042, -1.742, -3.426),
        term(Front(212, 61), -0.034, -7.64, -13.332),
        term(Up(17, 199), 0.311, 3.328, 0.0),
        term(Dist(17, 18), 0.126, -11.328, -9.829),
        term(Up(18, 200), 0.095, -16.241, -18.255),
        term(Front(200, 17), -0.049, 4.508, 16.989),
        term(Dist(17, 200), 0.214, 7.779, 13.886),
        term(Score(14), 0.0, -0.114, -0.461), // mouthPress
        term(Score(18), 0.0, 0.264, 0.548), // mouthShrugLower
        term(Score(20), 0.0, 0.11, 0.036), // mouthSmile
    ] },
    // AU20
    Unit { threshold: 0.195, gain: 2.2, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Up(61, 17), 0.093, -0.711, -3.138),
        term(Front(61, 13), -0.171, 5.148, 6.072),
        term(Front(61, 2), -0.235, -4.097, -2.963),
        term(Up(84, 17), 0.006, -13.799, -2.058),
        term(Up(81, 13), 0.005, -10.624, -8.616),
        term(Out(91, 17), 0.226, 2.723, 8.716),
        term(Dist(57, 61), 0.088, -4.905, -0.187),
        term(Out(202, 61), 0.097, 0.204, -6.185),
        term(Up(92, 2), -0.143, -3.173, -10.149),
        term(Score(8), 0.0, 0.202, 0.17), // jawOpen
        term(Score(11), 0.0, 0.832, 0.657), // mouthFrown
        term(Score(13), 0.0, 0.239, 0.564), // mouthLowerDown
        term(Score(19), 0.0, -0.639, -1.174), // mouthShrugUpper
        term(Score(21), 0.0, 0.501, 0.403), // mouthStretch
    ] },
    // AU23
    Unit { threshold: -0.016, gain: 2.2, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Out(61, 2), 0.304, 3.295, 6.49),
        term(Dist(13, 14), 0.01, -2.385, -3.716),
        term(Dist(14, 17), 0.086, -2.838, -7.662),
        term(Dist(39, 81), 0.076, -1.179, -9.455),
        term(Up(17, 2), -0.356, 0.072, -0.115),
        term(Up(84, 17), 0.006, 19.317, 0.255),
        term(Up(37, 0), 0.016, -15.672, -11.515),
        term(Up(181, 17), 0.022, -2.05, 0.807),
        term(Front(17, 2), -0.042, -0.394, -2.428),
        term(Up(57, 61), -0.004, -12.868, -1.808),
        term(Up(186, 61), 0.067, 8.9, 1.772),
        term(Dist(17, 18), 0.126, -2.725, 0.936),
        term(Score(10), 0.0, -0.492, -0.626), // mouthDimple
        term(Score(20), 0.0, -0.279, -0.341), // mouthSmile
    ] },
    // AU25
    Unit { threshold: 0.132, gain: 2.2, relative_threshold: 0.05, relative_gain: 1.3, terms: &[
        term(Dist(13, 14), 0.01, 0.0, 0.0),
        term(Dist(82, 87), 0.01, 1.783, 2.711),
        term(Dist(81, 178), 0.008, 0.99, 2.25),
        term(Dist(14, 17), 0.086, -0.479, 2.4),
        term(Up(2, 152), 0.82, -1.399, -2.197),
        term(Up(168, 152), 1.368, 0.804, 1.285),
        term(Score(8), 0.0, 0.196, -0.164), // jawOpen
        term(Score(12), 0.0, 0.471, 0.579), // mouthFunnel
        term(Score(16), 0.0, -0.924, -0.535), // mouthRollLower
        term(Score(18), 0.0, 0.253, -0.003), // mouthShrugLower
        term(Score(22), 0.0, 0.148, 0.0), // mouthUpperUp
    ] },
    // AU26
    Unit { threshold: 0.215, gain: 1.609, relative_threshold: 0.05, relative_gain: 1.208, terms: &[
        term(Out(61, 2), 0.304, -1.84, -0.127),
        term(Dist(13, 14), 0.01, 0.81, 0.0),
        term(Up(13, 2), -0.258, 2.047, 1.174),
        term(Dist(14, 17), 0.086, -0.217, 2.386),
        term(Up(14, 2), -0.275, -1.483, -3.383),
        term(Up(2, 152), 0.82, 0.193, 0.0),
        term(Up(204, 152), 0.355, -1.404, 0.861),
        term(Up(168, 132), 0.699, 1.453, 1.909),
        term(Score(8), 0.0, 0.529, 0.331), // jawOpen
        term(Score(9), 0.0, -0.431, -1.258), // mouthClose
        term(Score(13), 0.0, 0.44, 0.35), // mouthLowerDown
        term(Score(15), 0.0, -0.193, 0.005), // mouthPucker
        term(Score(20), 0.0, -0.04, -0.33), // mouthSmile
        term(Score(22), 0.0, -0.17, -0.182), // mouthUpperUp
    ] },
    // AU45
    Unit { threshold: 0.264, gain: 1.307, relative_threshold: 0.05, relative_gain: 1.188, terms: &[
        term(Up(65, 159), 0.135, -0.933, 0.822),
        term(Dist(159, 145), 0.092, -1.167, -5.857),
        term(Dist(158, 153), 0.083, -2.726, 0.0),
        term(Up(145, 133), -0.018, -3.488, 3.784),
        term(Up(27, 159), 0.063, 0.0, 0.0),
        term(Up(145, 23), 0.042, 5.046, 11.635),
        term(Dist(27, 159), 0.072, 3.309, 0.0),
        term(Dist(33, 133), 0.312, 1.905, 2.166),
        term(Score(4), 0.0, 0.352, 0.575), // eyeLookDown
        term(Score(6), 0.0, 0.239, -0.453), // eyeSquint
    ] },
];
