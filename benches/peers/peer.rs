//! Mien's process for `benches/peers/peers.py`: reads commands as lines of JSON and answers each with one line, as
//! described in `benches/peers/turns.py`. The answer to `run` also has the number of allocations of 64 KiB and more per
//! frame, and their bytes. `RAYON_NUM_THREADS` sets the number of threads.

use std::alloc::{GlobalAlloc, Layout};
use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use candle_core::{Device, Tensor, safetensors};
use mien::methods::{fomm, ganimation, mocogan, tps};
use mien::nn::{Precision, Weights};
use mimalloc::MiMalloc;
use serde::Deserialize;
use serde_json::{Value, json};

/// The smallest allocation that is counted: the smallest feature map of a picture of 128 pixels.
const LARGE: usize = 64 << 10;

const USAGE: &str = "benches/peers/peers.py runs this bench as: peer --device cpu|cuda [--half]";

const NEVER_STOP: &(dyn Fn() -> bool + Sync) = &|| false;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Counts large allocations and forwards all of them to mimalloc.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

fn note(size: usize) {
    if size >= LARGE {
        COUNT.fetch_add(1, Relaxed);
        BYTES.fetch_add(size as u64, Relaxed);
    }
}

// SAFETY: every call is forwarded to mimalloc unchanged, and counting doesn't allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller upholds mimalloc's contract.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: as above.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: as above; all blocks were allocated by mimalloc.
        unsafe { MiMalloc.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { MiMalloc.dealloc(block, layout) }
    }
}

#[derive(Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
enum Command {
    Load {
        method: String,
        folder: PathBuf,
        config: Value,
    },
    Run {
        frames: usize,
    },
    Save {
        path: PathBuf,
    },
    Memory,
}

/// The outputs of a frame, by name.
type Outputs = HashMap<String, Tensor>;

type Draw = Box<dyn Fn() -> Result<Outputs>>;

fn named<const N: usize>(outputs: [(&str, Tensor); N]) -> Outputs {
    outputs.map(|(name, x)| (name.to_owned(), x)).into()
}

struct Inputs(HashMap<String, Tensor>);

impl Inputs {
    fn tensor(&self, name: &str) -> Result<Tensor> {
        let found = self.0.get(name);
        Ok(found.ok_or_else(|| format!("no input {name}"))?.clone())
    }

    fn values(&self, name: &str) -> Result<Vec<f32>> {
        Ok(self.tensor(name)?.flatten_all()?.to_vec1()?)
    }
}

/// Loads a network and its inputs, and prepares everything that the frames share.
fn load(
    method: &str,
    folder: &Path,
    config: &str,
    device: &Device,
    precision: Precision,
) -> Result<Draw> {
    let tensors = safetensors::load(folder.join("weights.safetensors"), device)?;
    let weights = Weights::from_tensors(tensors, device, precision);
    let inputs = Inputs(safetensors::load(
        folder.join("inputs.safetensors"),
        device,
    )?);
    match method {
        "ganimation" => {
            let network =
                ganimation::Generator::new(&ganimation::Config::from_json(config)?, weights)?;
            let prepared = network.prepare(&inputs.tensor("picture")?)?;
            let aus = inputs.values("aus")?;
            Ok(Box::new(move || {
                let output = network.frame(&prepared, &aus, NEVER_STOP)?;
                Ok(named([
                    ("color", output.color),
                    ("attention", output.attention),
                ]))
            }))
        }
        "fomm" => {
            let network = fomm::Fomm::new(&fomm::Config::from_json(config)?, weights)?;
            let prepared = network.prepare(&inputs.tensor("source")?)?;
            let driving = inputs.tensor("driving")?;
            Ok(Box::new(move || {
                let key_points = network.detect(&driving, NEVER_STOP)?;
                let frame = network.frame(&prepared, &key_points, NEVER_STOP)?;
                Ok(named([("frame", frame.prediction)]))
            }))
        }
        "tps" => {
            let network = tps::Tps::new(&tps::Config::from_json(config)?, weights)?;
            let prepared = network.prepare(&inputs.tensor("source")?)?;
            let driving = inputs.tensor("driving")?;
            Ok(Box::new(move || {
                let key_points = network.detect(&driving, NEVER_STOP)?;
                let frame = network.frame(&prepared, &key_points, None, NEVER_STOP)?;
                Ok(named([("frame", frame.prediction)]))
            }))
        }
        "mocogan" => {
            let config = mocogan::Config::from_json(config)?;
            let network = mocogan::MoCoGan::new(&config, weights)?;
            let prepared =
                network.prepare(&inputs.values("content")?, &inputs.values("category")?)?;
            let motion = inputs.values("motion")?;
            let motion: Vec<_> = motion.chunks(config.motion).map(<[f32]>::to_vec).collect();
            Ok(Box::new(move || {
                Ok(named([(
                    "frames",
                    network.frames(&prepared, &motion, NEVER_STOP)?,
                )]))
            }))
        }
        other => Err(format!("there is no method {other}").into()),
    }
}

/// The process' peak memory, in bytes.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kilobytes
        .ok_or("the system tells no peak")?
        .trim()
        .parse::<u64>()?
        * 1024)
}

struct Peer {
    device: Device,
    precision: Precision,
    draw: Option<Draw>,
    last: Outputs,
}

impl Peer {
    fn answer(&mut self, line: &str) -> Result<Value> {
        match serde_json::from_str(line)? {
            Command::Load {
                method,
                folder,
                config,
            } => {
                let start = Instant::now();
                let config = config.to_string();
                let draw = load(&method, &folder, &config, &self.device, self.precision)?;
                self.draw = Some(draw);
                Ok(json!({"load_ns": start.elapsed().as_nanos() as u64}))
            }
            Command::Run { frames } => self.run(frames),
            Command::Save { path } => {
                let outputs = self.last.iter();
                let outputs: candle_core::Result<HashMap<_, _>> = outputs
                    .map(|(name, x)| Ok((name, x.to_device(&Device::Cpu)?.contiguous()?)))
                    .collect();
                safetensors::save(&outputs?, path)?;
                Ok(json!({}))
            }
            Command::Memory => Ok(json!({"peak": peak()?})),
        }
    }

    fn run(&mut self, frames: usize) -> Result<Value> {
        let draw = self.draw.as_ref().ok_or("nothing is loaded")?;
        let mut times = Vec::with_capacity(frames);
        let before = [COUNT.load(Relaxed), BYTES.load(Relaxed)];
        for _ in 0..frames {
            let start = Instant::now();
            self.last = draw()?;
            self.device.synchronize()?;
            times.push(start.elapsed().as_nanos() as u64);
        }
        let per_frame = |now: u64, before: u64| (now - before) as f64 / frames.max(1) as f64;
        Ok(json!({
            "ns": times,
            "allocations": per_frame(COUNT.load(Relaxed), before[0]),
            "bytes": per_frame(BYTES.load(Relaxed), before[1]),
        }))
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    let device = match (arguments.next().as_deref(), arguments.next().as_deref()) {
        (Some("--device"), Some("cpu")) => Device::Cpu,
        (Some("--device"), Some("cuda")) => Device::new_cuda(0)?,
        // Cargo runs all benchmarks without these arguments.
        _ => {
            println!("{USAGE}");
            return Ok(());
        }
    };
    let mut peer = Peer {
        device,
        precision: match arguments.next().as_deref() {
            Some("--half") => Precision::Half,
            _ => Precision::Single,
        },
        draw: None,
        last: Outputs::new(),
    };
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = peer.answer(&line?);
        let answer = answer.unwrap_or_else(|error| json!({"error": error.to_string()}));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
