//! Outputs that are links, pipes, devices or folders, of every command that writes one.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::thread::{self, JoinHandle};

use crate::common::{Desk, WIDTH, pixels, size, text};

fn ok(desk: &Desk, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let output = desk.output(&words);
    assert!(output.status.success(), "{line}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn refused(desk: &Desk, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let output = desk.output(&words);
    assert_eq!(output.status.code(), Some(2), "{line}: {}", text(&output.stderr));
    text(&output.stderr)
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// All that comes out of a pipe.
fn reader(path: &Path) -> JoinHandle<Vec<u8>> {
    let path = path.to_owned();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Every command that writes a file, but for `-o NAME`, and the extension of that.
const WRITERS: [(&str, &str); 6] = [
    ("content.png style.png -q --steps 1", "png"),
    ("texture style.png -q --size 32 --steps 1", "png"),
    ("reconstruct content.png -q --layer relu1_1 --steps 1", "png"),
    ("sweep content.png style.png -q --strengths 20,80 --size 32 --steps 1", "png"),
    ("inspect content.png -q --layer relu1_1 --maps 1", "png"),
    ("style save style.png --size 32 --style-layers relu1_1", "impasto-style"),
];

#[test]
fn a_pipe_gets_what_a_file_would() {
    let desk = Desk::new();
    for (line, extension) in WRITERS {
        let (file, pipe) = (format!("out.{extension}"), format!("pipe.{extension}"));
        ok(&desk, &format!("{line} -o {file}"));
        mkfifo(&desk.path(&pipe));
        let reader = reader(&desk.path(&pipe));
        ok(&desk, &format!("{line} -o {pipe}"));
        let read = reader.join().unwrap();
        assert!(desk.path(&pipe).metadata().unwrap().file_type().is_fifo(), "{line}");
        fs::remove_file(desk.path(&pipe)).unwrap();
        // A recipe names the folder of the pipe's reader, which nobody knows.
        fs::write(desk.path("read"), &read).unwrap();
        if extension == "png" {
            assert!(image::load_from_memory(&read).unwrap().into_bytes() == pixels(&desk.path(&file)), "{line}");
        } else {
            // The words at the front of a style file have no order.
            assert_eq!(read.len(), fs::read(desk.path(&file)).unwrap().len(), "{line}");
        }
    }
}

#[test]
fn a_device_gets_the_picture_and_stays() {
    let desk = Desk::new();
    let node = desk.path("d.png");
    let made = Command::new("mknod").arg(&node).args(["c", "1", "3"]).status();
    if !made.is_ok_and(|status| status.success()) || File::options().write(true).open(&node).is_err() {
        eprintln!("only the superuser can make devices, and not everywhere");
        return;
    }
    ok(&desk, "content.png style.png -q --steps 1 -o d.png");
    assert!(node.metadata().unwrap().file_type().is_char_device());
}

#[test]
fn a_link_is_followed_and_the_file_keeps_its_mode() {
    let desk = Desk::new();
    fs::create_dir(desk.path("elsewhere")).unwrap();
    for (line, extension) in WRITERS {
        let (target, new) = (format!("elsewhere/there.{extension}"), format!("elsewhere/new.{extension}"));
        fs::write(desk.path(&target), "before").unwrap();
        fs::set_permissions(desk.path(&target), fs::Permissions::from_mode(0o604)).unwrap();
        for target in [&target, &new] {
            symlink(target, desk.path("link")).unwrap();
            let link = format!("link.{extension}");
            fs::rename(desk.path("link"), desk.path(&link)).unwrap();
            ok(&desk, &format!("{line} -o {link}"));
            assert!(desk.path(&link).is_symlink() && desk.path(target).metadata().unwrap().len() > 100, "{line}");
        }
        assert_eq!(desk.path(&target).metadata().unwrap().permissions().mode() & 0o777, 0o604, "{line}");
        fs::remove_file(desk.path(&new)).unwrap();
    }
}

#[test]
fn snapshots_beside_a_pipe_are_files_and_pages_follow_links() {
    let desk = Desk::new();
    mkfifo(&desk.path("f.png"));
    let reader = reader(&desk.path("f.png"));
    symlink("elsewhere.png", desk.path("f-0001.png")).unwrap();
    ok(&desk, "content.png style.png -q --steps 2 --save-every 1 -o f.png");
    assert!(!reader.join().unwrap().is_empty());
    assert_eq!(size(&desk.path("f-0002.png")).0, WIDTH);
    assert!(desk.path("f-0001.png").is_symlink() && size(&desk.path("elsewhere.png")).0 == WIDTH);
    // What a picture in between cannot take the place of is found before the work.
    fs::create_dir(desk.path("g-0002.png")).unwrap();
    let error = refused(&desk, "content.png style.png -q --steps 2 --save-every 1 -o g.png");
    assert!(error.contains("cannot write g-0002.png: it is a folder"), "{error}");
    assert!(!desk.path("g-0001.png").exists());

    fs::create_dir(desk.path("pages")).unwrap();
    fs::write(desk.path("page"), "before").unwrap();
    symlink("../page", desk.path("pages/impasto.1")).unwrap();
    ok(&desk, "man -o pages");
    assert!(desk.path("pages/impasto.1").is_symlink());
    assert!(fs::read_to_string(desk.path("page")).unwrap().contains(".TH impasto 1"));
}

#[test]
fn a_folder_for_a_result_is_told_what_to_name() {
    let desk = Desk::new();
    fs::create_dir(desk.path("painted")).unwrap();
    let error = refused(&desk, "style save style.png -o painted");
    assert_eq!(error, "impasto: painted is a folder; name the file too, as in painted/painting.impasto-style\n");
    for (line, _) in WRITERS.iter().filter(|(_, extension)| *extension == "png") {
        for name in ["painted", "painted/", "new.png/"] {
            let error = refused(&desk, &format!("{line} -o {name}"));
            let example = Path::new(name).join("out.png");
            let wanted = format!(
                "impasto: cannot write {name}: it is a folder; name the file too, as in {}\n",
                example.display()
            );
            assert_eq!(error, wanted, "{line}");
        }
    }
    let list =
        r#"[{"inputs": {"content": "content.png", "styles": [{"file": "style.png"}]}, "output": {"file": "painted"}}]"#;
    fs::write(desk.path("jobs.json"), list).unwrap();
    assert!(refused(&desk, "run jobs.json").contains("cannot write painted: it is a folder"));
    let error = refused(&desk, "man -o content.png");
    assert_eq!(error, "impasto: content.png is a file; give --output the folder that the pages go to\n");
}

#[test]
fn two_links_to_one_file_are_one_result() {
    let desk = Desk::new();
    fs::create_dir(desk.path("made")).unwrap();
    fs::copy(desk.path("content.png"), desk.path("other.png")).unwrap();
    symlink("content-style.png", desk.path("made/other-style.png")).unwrap();
    fs::write(desk.path("made/content-style.png"), "before").unwrap();
    let error = refused(&desk, "batch content.png other.png --style style.png -o made -q");
    assert!(error.contains("made/other-style.png is the result of two jobs; rename one"), "{error}");
}

#[test]
fn another_name_of_standard_output_gets_the_picture_alone() {
    let desk = Desk::new();
    let run = |output: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "\"$0\" content.png style.png --steps 1 --format png -o \"$1\" | cat > piped.png"]);
        shell.arg(assert_cmd::cargo::cargo_bin!("impasto")).arg(output).current_dir(desk.path(""));
        let run = shell.output().unwrap();
        assert!(text(&run.stderr).contains(&format!("{output}: 48x36 px")), "{}", text(&run.stderr));
        fs::read(desk.path("piped.png")).unwrap()
    };
    assert!(run("/dev/stdout") == run("-"));
}
