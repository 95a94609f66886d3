//! A folder with two pictures, and the program run in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use image::{Rgb, RgbImage};
use serde_json::Value;
use tempfile::TempDir;

/// The content's size in px; the deepest layer needs 16 a side.
pub const WIDTH: u32 = 48;
pub const HEIGHT: u32 = 36;

/// The embedded weights as a file.
pub const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/vgg19-kmeans8.safetensors");

/// The program on the CPU, without what the tester's environment may add to it.
pub fn impasto() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("impasto"));
    command.env_remove("RUST_BACKTRACE").env("IMPASTO_DEVICE", "cpu");
    // Without it a layer of Mesa's writes to stderr.
    command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    // Results of self-tests are kept there, and not in the tester's own cache.
    command.env("XDG_CACHE_HOME", std::env::temp_dir().join("impasto-tests"));
    command
}

/// A folder with `content.png` (48x36 px) and `style.png` (40x40 px).
pub struct Desk {
    folder: TempDir,
}

/// What a run left.
pub struct Run {
    /// The object on stdout.
    pub json: Value,
    /// The picture's pixels. Its file has a recipe besides, which names every option.
    pub bytes: Vec<u8>,
}

impl Desk {
    pub fn new() -> Desk {
        let desk = Desk { folder: tempfile::tempdir().unwrap() };
        photo(WIDTH, HEIGHT).save(desk.path("content.png")).unwrap();
        painting(40, 40).save(desk.path("style.png")).unwrap();
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The names of all files, hidden ones as well.
    pub fn files(&self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The program in this folder.
    pub fn command<S: AsRef<str>>(&self, args: &[S]) -> Command {
        let mut command = impasto();
        command.current_dir(self.folder.path()).args(args.iter().map(AsRef::as_ref));
        command
    }

    pub fn output<S: AsRef<str>>(&self, args: &[S]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The output, and the peak of the process's resident memory in bytes as the system counts it,
    /// looked at every few milliseconds.
    #[cfg(target_os = "linux")]
    pub fn peak_memory(&self, args: &[&str]) -> (Output, u64) {
        let mut command = self.command(args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let waiting = std::thread::spawn(move || child.wait_with_output().unwrap());
        let mut peak = 0;
        while !waiting.is_finished() {
            let lines = std::fs::read_to_string(&status).unwrap_or_default();
            if let Some(line) = lines.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
                peak = line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        (waiting.join().unwrap(), peak)
    }

    /// Content and style to `out.png` in two steps (unless `args` says otherwise), quietly and
    /// with a JSON report.
    pub fn transfer(&self, args: &[&str]) -> Run {
        let mut all = vec!["content.png", "style.png", "-o", "out.png", "--quiet", "--json"];
        if !args.contains(&"--steps") {
            all.extend(["--steps", "2"]);
        }
        all.extend(args);
        let output = self.output(&all);
        assert!(output.status.success(), "{all:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "", "{all:?}");
        let json = serde_json::from_slice(&output.stdout).unwrap();
        Run { json, bytes: pixels(&self.path("out.png")) }
    }

    /// The object that `measure --json` prints.
    pub fn measure(&self, args: &[&str]) -> Value {
        let output = self.output(&[&["measure"], args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "", "{args:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The values of a picture as they are in memory.
pub fn pixels(path: &Path) -> Vec<u8> {
    image::open(path).unwrap().into_bytes()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Sum over a map of losses by layer.
pub fn sum(map: &Value) -> f64 {
    map.as_object().unwrap().values().map(number).sum()
}

pub fn size(path: &Path) -> (u32, u32) {
    image::image_dimensions(path).unwrap()
}

/// Smooth, with one edge: a sky, a hill, a sun.
pub fn photo(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let hill = 0.6 + 0.2 * (u * 6.0).sin();
        if (u - 0.7).hypot(v - 0.25) < 0.12 {
            Rgb([250, 230, 120])
        } else if v > hill {
            Rgb([(60.0 + 40.0 * u) as u8, (140.0 - 60.0 * v) as u8, 50])
        } else {
            Rgb([(90.0 + 60.0 * v) as u8, (140.0 + 60.0 * v) as u8, (220.0 - 30.0 * u) as u8])
        }
    })
}

/// Diagonal strokes in three colours.
pub fn painting(width: u32, height: u32) -> RgbImage {
    const COLOURS: [Rgb<u8>; 3] = [Rgb([20, 40, 120]), Rgb([240, 200, 60]), Rgb([180, 60, 40])];
    RgbImage::from_fn(width, height, |x, y| COLOURS[((x + 2 * y + (x * y) / 16) / 5 % 3) as usize])
}
