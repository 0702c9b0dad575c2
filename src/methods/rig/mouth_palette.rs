//! The colours of the inside of a mouth, in the portrait's light.

use super::tone::{Tone, mean};

/// Colours in 0..=255 of what the portrait doesn't show.
pub(super) struct Palette {
    pub teeth: [f32; 3],
    pub gums: [f32; 3],
    pub tongue: [f32; 3],
    pub dark: [f32; 3],
    /// Upper bound on the brightness of teeth.
    pub brightest: f32,
    /// A wet highlight.
    pub highlight: f32,
}

impl Palette {
    /// The colours for a face, and for its teeth if the portrait shows them.
    pub fn new(tone: &Tone, teeth: Option<[f32; 3]>) -> Self {
        // Grey for grey pictures.
        let tint =
            |rgb: [f32; 3]| rgb.map(|v| tone.coloured * v + (1.0 - tone.coloured) * mean(rgb));
        let times = |a: [f32; 3], b: [f32; 3]| [0, 1, 2].map(|k| a[k] * b[k]);
        let skin = mean(tone.skin).max(1.0);
        let teeth = match teeth {
            Some(seen) => {
                let gain = (0.95 * skin / mean(seen).max(1.0)).clamp(1.0, 1.25);
                seen.map(|v| v * gain)
            }
            None => {
                // Teeth vary less than skin: on dark skin they are bright, but no brighter than the light allows.
                let seen = times(tone.skin, tint([1.0, 1.05, 1.07])).map(|v| v + 14.0);
                let gain = (0.97 * tone.brightest / mean(seen).max(1.0)).clamp(1.0, 1.5);
                let grey = mean(seen) * gain;
                // The more the colour is brightened, the whiter it gets.
                let white = 1.0 - 1.0 / gain;
                seen.map(|v| v * gain + white * (grey - v * gain))
            }
        };
        // Gums take half of their colour from the skin.
        let light = [tone.brightest; 3];
        let flesh = |of_skin: [f32; 3], of_light: [f32; 3]| {
            let (a, b) = (
                times(tone.skin, tint(of_skin)),
                times(light, tint(of_light)),
            );
            [0, 1, 2].map(|k| 0.5 * (a[k] + b[k]))
        };
        let darkest = 0.35 * tone.darkest;
        let brightest = (1.15 * tone.brightest + 12.0).min(255.0);
        Self {
            teeth: teeth.map(|v| v.min(brightest)),
            gums: flesh([0.80, 0.50, 0.48], [0.66, 0.38, 0.36]),
            tongue: flesh([0.90, 0.52, 0.50], [0.78, 0.42, 0.40]),
            dark: times(tone.skin, tint([0.16, 0.08, 0.08])).map(|v| v.min(darkest)),
            brightest,
            highlight: tone.brightest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teeth_are_no_brighter_than_the_light_allows() {
        for skin in [[60.0, 40.0, 32.0], [230.0, 200.0, 185.0]] {
            let tone = Tone {
                harmonics: [0.45, 0.0, 0.2, 0.55, 0.0, 0.0, 0.0, 0.0, 0.0],
                skin,
                darkest: 0.4 * mean(skin),
                brightest: 1.3 * mean(skin),
                coloured: 1.0,
            };
            let palette = Palette::new(&tone, None);
            assert!(palette.teeth.iter().all(|v| *v <= palette.brightest));
            assert!(mean(palette.teeth) > mean(skin));
            assert!(mean(palette.dark) < 0.2 * mean(skin));
        }
    }
}
