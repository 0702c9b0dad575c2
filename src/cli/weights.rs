//! `mien weights`: what is installed.

use clap::{Args, Subcommand};

use crate::engine::{EngineError, Installed, Origin, installed, weights_folder};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the weights that come with Mien and those in your data folder
    List {
        /// With configuration, crop, licence and origin
        #[arg(short, long)]
        verbose: bool,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<(), EngineError> {
    let Command::List { verbose } = arguments.command;
    for entry in installed(weights_folder().as_deref()) {
        match entry {
            Ok(entry) => super::print(&(describe(&entry, verbose) + "\n"))?,
            Err(error) => eprintln!("mien: {error}"),
        }
    }
    Ok(())
}

fn describe(entry: &Installed, verbose: bool) -> String {
    let place = match &entry.origin {
        Origin::Bundled => "comes with Mien".to_owned(),
        Origin::File(path) => path.display().to_string(),
    };
    let mut text = format!(
        "{:<20} {:<12} {:>6.1} M parameters {:>7.1} MB  {place}",
        entry.name,
        entry.metadata.architecture,
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
            text += &format!("\n  crop     {} x {}{upright}", crop.kind, crop.scale);
        }
        text += &format!(
            "\n  licence  {}\n  origin   {}",
            metadata.licence, metadata.origin
        );
    }
    text
}
