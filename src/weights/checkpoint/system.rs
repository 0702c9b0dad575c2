//! Recognises which of the four published systems a checkpoint belongs to, by its keys, and which networks
//! it contains.

use super::Checkpoint;

/// A published system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// First Order Motion Model (Siarohin et al., NeurIPS 2019).
    Fomm,
    /// Thin-Plate-Spline Motion Model (Zhao & Zhang, CVPR 2022).
    Tps,
    /// MoCoGAN (Tulyakov et al., CVPR 2018).
    MoCoGan,
    /// GANimation (Pumarola et al., ECCV 2018), with its naming of the layers.
    Ganimation(Dialect),
}

/// The implementation of GANimation that named the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The authors': `main`, `img_reg`, `attetion_reg`.
    Authors,
    /// donydchen's: `model`, `color_top`, `au_top`; convolutions have a bias.
    Donydchen,
    /// vipermu's: `main`, `im_reg`, `im_att`; outputs the attention first.
    Vipermu,
}

/// One network of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemNetwork {
    /// The authors' name for it, such as "kp_detector".
    pub name: &'static str,
    /// The prefix of its keys, such as "kp_detector."; empty where the checkpoint has only this network.
    pub prefix: &'static str,
    /// Whether the checkpoint contains it.
    pub present: bool,
    /// Whether it is required to generate pictures.
    pub needed: bool,
}

/// The system that a checkpoint belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// The published method.
    pub method: Method,
    /// All networks of the published system, including those missing from this checkpoint.
    pub parts: Vec<SystemNetwork>,
}

impl System {
    /// Returns the names of required networks that are missing.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> {
        let missing = self
            .parts
            .iter()
            .filter(|part| part.needed && !part.present);
        missing.map(|part| part.name)
    }

    /// Returns whether the network of this name is present.
    pub fn has(&self, name: &str) -> bool {
        self.parts
            .iter()
            .any(|part| part.present && part.name == name)
    }
}

/// Recognises a system from the checkpoint's keys; `None` for anything else.
pub fn system(checkpoint: &Checkpoint) -> Option<System> {
    let keys = Keys(checkpoint);
    let method = keys.method()?;
    let part = |name, prefix, needed| SystemNetwork {
        name,
        prefix,
        present: keys.begins(prefix),
        needed,
    };
    let alone = |name, present, needed| SystemNetwork {
        name,
        prefix: "",
        present,
        needed,
    };
    let parts = match method {
        Method::Fomm => vec![
            part("generator", "generator.", true),
            part("kp_detector", "kp_detector.", true),
            part("discriminator", "discriminator.", false),
        ],
        Method::Tps => vec![
            part("inpainting_network", "inpainting_network.", true),
            part("dense_motion_network", "dense_motion_network.", true),
            part("kp_detector", "kp_detector.", true),
            part("bg_predictor", "bg_predictor.", false),
            part("avd_network", "avd_network.", false),
        ],
        Method::MoCoGan => vec![alone("generator", true, true)],
        Method::Ganimation(_) => vec![
            alone("generator", !keys.is_critic(), true),
            alone("critic", keys.is_critic(), false),
        ],
    };
    Some(System { method, parts })
}

struct Keys<'a>(&'a Checkpoint);

impl Keys<'_> {
    fn method(&self) -> Option<Method> {
        let fomm = ["generator.dense_motion_network.", "kp_detector.jacobian."];
        let tps = [
            "inpainting_network.",
            "kp_detector.fg_encoder.",
            "avd_network.",
        ];
        if tps.into_iter().any(|start| self.begins(start)) {
            Some(Method::Tps)
        } else if fomm.into_iter().any(|start| self.begins(start)) {
            Some(Method::Fomm)
        } else if self.all(&[
            "recurrent.weight_ih",
            "recurrent.weight_hh",
            "main.0.weight",
        ]) {
            Some(Method::MoCoGan)
        } else if self.all(&["main.0.weight", "img_reg.0.weight", "attetion_reg.0.weight"])
            || self.is_critic()
        {
            Some(Method::Ganimation(Dialect::Authors))
        } else if self.begins("model.") && self.begins("color_top.") && self.begins("au_top.") {
            Some(Method::Ganimation(Dialect::Donydchen))
        } else if self.begins("main.") && self.begins("im_reg.") && self.begins("im_att.") {
            Some(Method::Ganimation(Dialect::Vipermu))
        } else {
            None
        }
    }

    /// The authors' critic: a trunk and two heads, without generator layers.
    fn is_critic(&self) -> bool {
        self.all(&["main.0.weight", "conv1.weight", "conv2.weight"]) && !self.begins("img_reg.")
    }

    /// Returns whether any key has this prefix.
    fn begins(&self, prefix: &str) -> bool {
        let mut from = self.0.tensors.range(prefix.to_owned()..);
        from.next().is_some_and(|(key, _)| key.starts_with(prefix))
    }

    fn all(&self, keys: &[&str]) -> bool {
        keys.iter().all(|&key| self.0.tensors.contains_key(key))
    }
}
