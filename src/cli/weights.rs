//! `mien weights`: lists installed weights, inspects files, and imports published checkpoints.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::errors::{CliError, with_hint};
use super::output::{print, say};
use crate::error::SystemError;
use crate::folders::weights_folder;
use crate::jobs::import::{ImportOptions, ImportRemark, TorchVersionSource, import};
use crate::text;
use crate::weights::checkpoint;
use crate::weights::checkpoint::system::{Dialect, Method, SystemNetwork};
use crate::weights::checkpoint::{Checkpoint, Container, system};
use crate::weights::{Installed, Origin, installed, plain};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the built-in weights and those in your data folder
    List {
        /// Include configuration, crop, licence and origin, and the model cards of the built-in weights
        #[arg(short, long)]
        verbose: bool,
    },
    /// Convert a published checkpoint to weights in your data folder, without running any of its code
    Import {
        /// A published checkpoint (.pth, .pth.tar, .pytorch, ...)
        file: PathBuf,

        /// The name of the weights [default: the file's name]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,

        /// For FOMM: whether its warps are computed as in torch before 1.3 (yes) or since (no) [default: by the file's format]
        #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
        align_corners: Option<bool>,

        /// The licence of the published checkpoint, if Mien doesn't know it
        #[arg(long, value_name = "TEXT")]
        licence: Option<String>,

        /// Replace weights of the same name
        #[arg(long)]
        replace: bool,
    },
    /// Show what a weight file or a published PyTorch checkpoint contains, without running or keeping any of it
    Check {
        /// A safetensors file or a checkpoint (.pth, .pth.tar, .pkl, ...)
        file: PathBuf,

        /// Include the name, type and shape of every tensor
        #[arg(short, long)]
        verbose: bool,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.command {
        Command::List { verbose } => list(*verbose),
        Command::Import {
            file,
            name,
            align_corners,
            licence,
            replace,
        } => {
            let options = ImportOptions {
                name: name.clone(),
                align_corners: *align_corners,
                licence: licence.clone(),
                replace: *replace,
            };
            bring(file, &options)
        }
        Command::Check { file, verbose } => {
            let checkpoint = checkpoint::read(file)?;
            print(&report(file, &checkpoint, *verbose))
        }
    }
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("write yes or no".to_owned()),
    }
}

fn bring(file: &Path, options: &ImportOptions) -> Result<(), CliError> {
    let folder = weights_folder().ok_or(SystemError::NoWeightsFolder)?;
    let imported = import(file, &folder, options)?;
    for remark in &imported.remarks {
        let hint = match remark {
            ImportRemark::UnknownLicence => ", and set it with --licence",
            ImportRemark::Warps {
                why: TorchVersionSource::Usual,
                ..
            } => "; change this with --align-corners no",
            ImportRemark::Warps {
                why: TorchVersionSource::Container,
                ..
            } => "; change this with --align-corners",
            _ => "",
        };
        say(with_hint(remark, hint));
    }
    print(&format!(
        "{}: {}, {:.1} M parameters, {:.1} MB, in {}\n",
        text::name(&imported.name),
        imported.metadata.architecture,
        imported.parameters as f64 / 1e6,
        imported.size as f64 / 1e6,
        text::path(&imported.path)
    ))
}

fn list(verbose: bool) -> Result<(), CliError> {
    for entry in installed(weights_folder().as_deref()) {
        match entry {
            Ok(entry) => print(&(describe(&entry, verbose) + "\n"))?,
            Err(error) => say(error),
        }
    }
    Ok(())
}

/// Describes a checkpoint: its container, its architecture and networks, its tensors.
fn report(file: &Path, checkpoint: &Checkpoint, verbose: bool) -> String {
    let container = match checkpoint.container {
        Container::Zip => "a PyTorch checkpoint (torch 1.6 or later)",
        Container::Legacy => "a PyTorch checkpoint (torch up to 1.5)",
        Container::Module => "a whole PyTorch module",
        Container::Safetensors => "a safetensors file",
    };
    let tensors = &checkpoint.tensors;
    let numbers: usize = tensors
        .values()
        .map(|tensor| tensor.shape.iter().product::<usize>())
        .sum();
    let mut text = format!("{}: {container}\n", text::path(file));
    match system(checkpoint) {
        Some(system) => {
            let method = match system.method {
                Method::Fomm => "FOMM",
                Method::Tps => "TPS",
                Method::MoCoGan => "MoCoGAN",
                Method::Ganimation(Dialect::Authors) => "GANimation, the authors' names",
                Method::Ganimation(Dialect::Donydchen) => "GANimation, donydchen's names",
                Method::Ganimation(Dialect::Vipermu) => "GANimation, vipermu's names",
            };
            let names = |parts: &dyn Fn(&SystemNetwork) -> bool| -> String {
                let names = system.parts.iter().filter(|part| parts(part));
                names.map(|part| part.name).collect::<Vec<_>>().join(", ")
            };
            text += &format!("  system   {method}\n");
            text += &format!("  holds    {}\n", names(&|part| part.present));
            let missing = names(&|part| part.needed && !part.present);
            if !missing.is_empty() {
                text += &format!("  lacks    {missing}\n");
            }
        }
        None => text += "  system   unknown\n",
    }
    text += &format!(
        "  tensors  {} with {:.1} M numbers\n",
        tensors.len(),
        numbers as f64 / 1e6
    );
    for (name, _) in tensors.iter().filter(|(_, tensor)| !tensor.is_finite()) {
        text += &format!(
            "  damaged  {} has numbers that are NaN or infinite\n",
            text::name(name)
        );
    }
    if verbose {
        for (name, tensor) in tensors {
            let kind = format!("{:?}", tensor.dtype).to_lowercase();
            let shape = format!("{:?}", tensor.shape);
            // Escaped, because names from an untrusted file may contain terminal control sequences.
            text += &format!("  {kind:<5} {shape:<24} {}\n", name.escape_debug());
        }
    }
    text
}

/// Width of a line of a model card, and its indentation, in characters.
const CARD_WIDTH: usize = 100;
const INDENT: usize = 4;

fn describe(entry: &Installed, verbose: bool) -> String {
    let place = match &entry.origin {
        Origin::Bundled => "built in".to_owned(),
        Origin::File(path) => text::path(path),
    };
    let mut text = format!(
        "{:<20} {:<12} {:>6.1} M parameters {:>7.1} MB  {place}",
        text::name(&entry.name),
        entry.metadata.architecture.escape_debug().to_string(),
        entry.parameters as f64 / 1e6,
        entry.size as f64 / 1e6,
    );
    if verbose {
        let metadata = &entry.metadata;
        text += &format!("\n  config   {}", metadata.config);
        if !metadata.au_order.is_empty() {
            let codes = metadata.au_order.iter().map(|code| format!("AU{code}"));
            text += &format!("\n  units    {}", codes.collect::<Vec<_>>().join(" "));
        }
        if let Some(crop) = &metadata.crop {
            let upright = if crop.upright { ", upright" } else { "" };
            text += &format!(
                "\n  crop     {} x {}{upright}",
                crop.kind.escape_debug(),
                crop.scale
            );
        }
        text += &format!(
            "\n  licence  {}\n  origin   {}",
            metadata.licence.escape_debug(),
            metadata.origin.escape_debug()
        );
        if let Some(source) = &metadata.imported_from {
            text += &format!(
                "\n  sha256   {} ({})",
                source.sha256.escape_debug(),
                source.file.escape_debug()
            );
        }
        if let Some(card) = entry.card {
            text.push_str("\n\n");
            for line in plain(card, CARD_WIDTH).lines() {
                text += &format!("{:INDENT$}{line}\n", "");
            }
            // Strips trailing spaces.
            text = text
                .lines()
                .map(str::trim_end)
                .collect::<Vec<_>>()
                .join("\n")
                + "\n";
        }
    }
    text
}
