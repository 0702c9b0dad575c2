//! Compiles the kernels in `src/nn/cuda/kernels` to PTX if the feature `cuda` is on; does nothing otherwise.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Environment variables that installers set to the CUDA toolkit's folder.
const TOOLKIT_VARIABLES: [&str; 4] = [
    "CUDA_HOME",
    "CUDA_PATH",
    "CUDA_ROOT",
    "CUDA_TOOLKIT_ROOT_DIR",
];
/// The oldest compute capability that the newest compilers support; the driver compiles its PTX for every later one.
const OLDEST: &str = "75";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return ExitCode::SUCCESS;
    }
    match kernels() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("cargo::error={why}");
            ExitCode::FAILURE
        }
    }
}

fn kernels() -> Result<(), String> {
    println!("cargo::rerun-if-changed=src/nn/cuda/kernels");
    for name in TOOLKIT_VARIABLES
        .iter()
        .chain(&["NVCC", "CUDA_COMPUTE_CAP"])
    {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let root = env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo names no folder of the package")?;
    let out = env::var_os("OUT_DIR").ok_or("cargo names no folder for results")?;
    let nvcc = compiler();
    let status = Command::new(&nvcc)
        .args([
            "-ptx",
            "-O3",
            &format!("-arch=compute_{}", capability()),
            "-o",
        ])
        .arg(Path::new(&out).join("kernels.ptx"))
        .arg(Path::new(&root).join("src/nn/cuda/kernels/kernels.cu"))
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("{} can't compile the kernels", nvcc.display())),
        Err(error) => Err(format!(
            "the feature cuda needs NVIDIA's compiler, and {} can't be run ({error}); name it in NVCC",
            nvcc.display()
        )),
    }
}

/// `NVCC`, or the compiler of an installed toolkit, or the one on the search path.
fn compiler() -> PathBuf {
    if let Some(nvcc) = env::var_os("NVCC") {
        return nvcc.into();
    }
    let name = format!("nvcc{}", env::consts::EXE_SUFFIX);
    let homes = TOOLKIT_VARIABLES
        .iter()
        .filter_map(env::var_os)
        .map(PathBuf::from);
    homes
        .map(|home| home.join("bin").join(&name))
        .find(|nvcc| nvcc.is_file())
        .unwrap_or_else(|| name.into())
}

/// `CUDA_COMPUTE_CAP`, written as `90` or `9.0`, or else the oldest.
fn capability() -> String {
    let asked = env::var("CUDA_COMPUTE_CAP").unwrap_or_default();
    let digits = asked.replace('.', "");
    let is_one = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_alphanumeric());
    if is_one { digits } else { OLDEST.to_owned() }
}
