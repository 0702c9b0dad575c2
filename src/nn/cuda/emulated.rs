//! Runs launches on the CPU for the tests, with the kernels built as C by the system's compiler (`kernels/emulator.c`).

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use candle_core::{DType, Result, Tensor};

use super::launch::{Arg, Launch};

thread_local! {
    static EMULATE_GPU: Cell<bool> = const { Cell::new(false) };
    /// The kernels that ran on this thread.
    static LAUNCHED: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// Whether this thread's layers treat the CPU as a GPU.
pub(super) fn is_emulated() -> bool {
    EMULATE_GPU.get()
}

/// Runs `run` with layers that treat the CPU as a GPU; `None` if no compiler can build the kernels.
pub(crate) fn with_emulated_gpu<T>(run: impl FnOnce() -> T) -> Option<T> {
    emulator()?;
    EMULATE_GPU.set(true);
    let result = run();
    EMULATE_GPU.set(false);
    Some(result)
}

/// A kernel's parameter as declared in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parameter {
    Floats,
    Doubles,
    Result,
    Int,
    Float,
}

impl Parameter {
    fn parse(text: &str) -> Self {
        let (kind, _name) = text.trim().rsplit_once(' ').expect("a type and a name");
        match (kind, text.contains('*')) {
            ("const float", true) => Self::Floats,
            ("const double", true) => Self::Doubles,
            ("float", true) => Self::Result,
            ("int", false) => Self::Int,
            ("float", false) => Self::Float,
            _ => panic!("{text}: no parameter that kernels have"),
        }
    }

    /// The C expression for argument `i`.
    fn passed(self, i: usize) -> String {
        let field = match self {
            Self::Floats | Self::Doubles | Self::Result => "pointer",
            Self::Int => "integer",
            Self::Float => "real",
        };
        format!("arguments[{i}].{field}")
    }

    fn takes(self, arg: &Arg) -> bool {
        match arg {
            Arg::Read(None) => matches!(self, Self::Floats | Self::Doubles),
            Arg::Read(Some(x)) if x.dtype() == DType::F64 => self == Self::Doubles,
            Arg::Read(Some(_)) => self == Self::Floats,
            Arg::Write(_) => self == Self::Result,
            Arg::Int(_) => self == Self::Int,
            Arg::Float(_) => self == Self::Float,
        }
    }
}

/// All kernels with their parameters, parsed from the sources.
fn kernels() -> Vec<(&'static str, Vec<Parameter>)> {
    let sources = [
        include_str!("kernels/norms.cu"),
        include_str!("kernels/maps.cu"),
        include_str!("kernels/motions.cu"),
    ];
    let lines = sources
        .iter()
        .flat_map(|text| text.split("\nKERNEL(").skip(1));
    lines
        .map(|line| {
            let (name, rest) = line.split_once(")(").expect("parameters");
            let (parameters, _) = rest.split_once(')').expect("an end of them");
            (name, parameters.split(',').map(Parameter::parse).collect())
        })
        .collect()
}

/// The kernels that ran on this thread, and all kernels.
pub(crate) fn launched() -> [BTreeSet<&'static str>; 2] {
    let all = kernels().into_iter().map(|(name, _)| name).collect();
    [LAUNCHED.with_borrow(Clone::clone), all]
}

/// The source of the C function that calls the kernel of a job.
fn dispatch() -> String {
    let mut text = "static void dispatch(void)\n{\n".to_owned();
    for (name, parameters) in kernels() {
        let passed: Vec<_> = (0..).zip(parameters).map(|(i, p)| p.passed(i)).collect();
        let passed = passed.join(", ");
        writeln!(
            text,
            "if (!strcmp(job.kernel, \"{name}\")) {{ {name}({passed}); return; }}"
        )
        .expect("a string grows");
    }
    text + "fail(\"no such kernel\");\n}\n"
}

/// The path of the built program; `None` if there is no compiler.
fn emulator() -> Option<&'static Path> {
    static EMULATOR: OnceLock<Option<PathBuf>> = OnceLock::new();
    EMULATOR.get_or_init(build).as_deref()
}

fn build() -> Option<PathBuf> {
    // The compiler that rustc itself links with on Linux.
    let version = Command::new("cc").arg("--version").output();
    if let Err(error) = version {
        return untested(&format!("cc can't be run ({error})"));
    }
    // Several processes may build at once; the last one's program stays, and all of them are the same.
    let made = Path::new(env!("OUT_DIR"));
    let folder = made.join(format!("emulator-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("dispatch.inc"), dispatch()).expect("a file");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/nn/cuda/kernels");
    let compile = |checks: &[&str]| {
        Command::new("cc")
            .args(["-std=gnu11", "-O1", "-g", "-pthread"])
            .args(checks)
            .args(["-I".as_ref(), folder.as_os_str()])
            .args(["-I".as_ref(), sources.as_os_str()])
            .arg(sources.join("emulator.c"))
            .args(["-o".as_ref(), folder.join("emulator").as_os_str()])
            .arg("-lm")
            .output()
            .expect("the compiler runs")
    };
    // With checks of all accesses and conversions, if the compiler has the libraries for them.
    let checks = [
        "-fsanitize=address,undefined,float-cast-overflow",
        "-fno-sanitize-recover=all",
    ];
    let checked = compile(&checks).status.success() && starts(&folder.join("emulator"));
    if !checked {
        eprintln!("The kernels are tested without checks of their accesses.");
        let plain = compile(&[]);
        if !plain.status.success() {
            let said = String::from_utf8_lossy(&plain.stderr);
            // Not every system's thread library has barriers.
            return untested(&said);
        }
    }
    let program = made.join("emulator");
    std::fs::rename(folder.join("emulator"), &program).expect("a file");
    std::fs::remove_dir_all(&folder).expect("a folder");
    Some(program)
}

/// On Linux, where everything needed is available, kernels that can't be tested are an error.
fn untested(why: &str) -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        panic!("The kernels can't be tested: {why}");
    }
    eprintln!("The kernels are not tested: {why}");
    None
}

/// Whether the program starts, and exits on empty input: not every system allows sanitizers.
fn starts(program: &Path) -> bool {
    let run = Command::new(program).stdin(Stdio::null()).output();
    run.is_ok_and(|run| run.status.success())
}

/// The running program, one per test thread.
struct Emulator {
    child: Child,
    launches: Option<ChildStdin>,
    results: ChildStdout,
}

impl Emulator {
    fn start() -> Self {
        let mut child = Command::new(emulator().expect("a compiler"))
            // Memory that is freed only when the process exits is not a leak.
            .env("ASAN_OPTIONS", "detect_leaks=0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the emulator runs");
        Self {
            launches: child.stdin.take(),
            results: child.stdout.take().expect("a pipe"),
            child,
        }
    }

    /// Sends a launch and reads `bytes` bytes of results.
    fn run(launch: &[u8], bytes: usize) -> Result<Vec<u8>> {
        thread_local! {
            static OWN: RefCell<Emulator> = RefCell::new(Emulator::start());
        }
        OWN.with_borrow_mut(|own| {
            let mut results = vec![0; bytes];
            // The program reads a whole launch before it writes, so neither side blocks the other.
            let launches = own.launches.as_mut().expect("a pipe");
            let run = launches.write_all(launch).and_then(|()| launches.flush());
            match run.and_then(|()| own.results.read_exact(&mut results)) {
                Ok(()) => Ok(results),
                Err(_) => {
                    let mut said = String::new();
                    let errors = own.child.stderr.as_mut().expect("a pipe");
                    errors.read_to_string(&mut said)?;
                    panic!("{said}");
                }
            }
        })
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Closing its input ends the program.
        self.launches = None;
        let _ = self.child.wait();
    }
}

pub(super) fn run(launch: &Launch) -> Result<Vec<Tensor>> {
    let kernels = kernels();
    let name = launch.kernel;
    let (_, parameters) = kernels
        .iter()
        .find(|(kernel, _)| *kernel == name)
        .unwrap_or_else(|| panic!("{name}: no such kernel"));
    assert_eq!(parameters.len(), launch.args.len(), "{name}");
    for (i, (parameter, arg)) in parameters.iter().zip(&launch.args).enumerate() {
        assert!(parameter.takes(arg), "{name}: {i}: {parameter:?}: {arg:?}");
    }

    LAUNCHED.with_borrow_mut(|launched| launched.insert(name));

    let threads = launch.threads;
    let mut job = vec![0; 32];
    job[..name.len()].copy_from_slice(name.as_bytes());
    let sizes = [
        threads.blocks,
        threads.threads,
        usize::from(threads.synchronised),
        launch.args.len(),
    ];
    for size in sizes {
        job.extend((size as i32).to_ne_bytes());
    }
    let mut shapes = Vec::new();
    for arg in &launch.args {
        let mut put = |kind: i32, bytes: usize, values: &[u8]| {
            job.extend(kind.to_ne_bytes());
            job.extend((bytes as i32).to_ne_bytes());
            job.extend(values);
        };
        match arg {
            Arg::Read(None) => put(0, 0, &[]),
            Arg::Read(Some(x)) => {
                assert!(x.is_contiguous(), "{name}");
                let x = x.flatten_all()?;
                let bytes: Vec<u8> = match x.dtype() {
                    DType::F64 => x
                        .to_vec1::<f64>()?
                        .iter()
                        .flat_map(|v| v.to_ne_bytes())
                        .collect(),
                    _ => x
                        .to_vec1::<f32>()?
                        .iter()
                        .flat_map(|v| v.to_ne_bytes())
                        .collect(),
                };
                put(1, bytes.len(), &bytes);
            }
            Arg::Write(shape) => {
                put(2, 4 * shape.iter().product::<usize>(), &[]);
                shapes.push(shape);
            }
            Arg::Int(value) => put(3, 0, &value.to_ne_bytes()),
            Arg::Float(value) => put(4, 0, &value.to_ne_bytes()),
        }
    }

    let bytes = shapes
        .iter()
        .map(|shape| 4 * shape.iter().product::<usize>());
    let output = Emulator::run(&job, bytes.sum())?;
    let mut rest = output.as_slice();
    shapes
        .into_iter()
        .map(|shape| {
            let (own, others) = rest.split_at(4 * shape.iter().product::<usize>());
            rest = others;
            let values = own.as_chunks().0.iter().map(|b| f32::from_ne_bytes(*b));
            Tensor::from_vec(values.collect(), shape.as_slice(), &launch.device)
        })
        .collect()
}
