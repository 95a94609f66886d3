//! What becomes of an output that is a link, a pipe, a device or a folder.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use impasto::Image;
use impasto::picture::{self, SaveOptions, check_output, check_writable, is_written_through, write_whole};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn count(&self) -> usize {
        fs::read_dir(self.0.path()).unwrap().count()
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

/// The problem behind `cannot write PATH: `.
fn problem(path: &Path) -> String {
    let error = check_output(path, &SaveOptions::default()).unwrap_err().to_string();
    assert_eq!(write_whole(path, b"x").unwrap_err().to_string(), error, "found before the work and at its end");
    error.strip_prefix(&format!("cannot write {}: ", path.display())).unwrap().to_owned()
}

#[test]
fn a_link_is_followed_wherever_it_leads() {
    let folder = Folder::new();
    fs::create_dir(folder.path("elsewhere")).unwrap();
    fs::write(folder.path("elsewhere/there.png"), "before").unwrap();
    symlink("elsewhere/there.png", folder.path("link.png")).unwrap();
    symlink(folder.path("link.png"), folder.path("link-of-link.png")).unwrap();
    symlink("elsewhere/new.png", folder.path("dangling.png")).unwrap();
    for (link, target) in [("link.png", "there"), ("link-of-link.png", "there"), ("dangling.png", "new")] {
        check_writable(&folder.path(link)).unwrap();
        write_whole(&folder.path(link), link.as_bytes()).unwrap();
        assert!(folder.path(link).is_symlink(), "{link}");
        assert_eq!(fs::read_to_string(folder.path(&format!("elsewhere/{target}.png"))).unwrap(), link);
    }
    assert_eq!(fs::read_dir(folder.path("elsewhere")).unwrap().count(), 2, "something is left behind");

    symlink("absent/new.png", folder.path("nowhere.png")).unwrap();
    let absent = folder.path("absent").display().to_string();
    assert_eq!(problem(&folder.path("nowhere.png")), format!("there is no folder {absent}; create it first"));
    symlink("circle.png", folder.path("circle.png")).unwrap();
    assert_eq!(problem(&folder.path("circle.png")), "its links lead in a circle; give another name");
}

#[test]
fn a_file_keeps_its_mode_and_its_owner_and_leaves_other_names_alone() {
    let folder = Folder::new();
    let (path, other) = (folder.path("a.png"), folder.path("b.png"));
    fs::write(&path, "before").unwrap();
    fs::hard_link(&path, &other).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    // Only the superuser may give a file away.
    let is_given = std::os::unix::fs::chown(&path, Some(12_345), Some(54_321)).is_ok();
    write_whole(&path, b"after").unwrap();
    assert_eq!((fs::read(&path).unwrap(), fs::read(&other).unwrap()), (b"after".to_vec(), b"before".to_vec()));
    assert_eq!(mode(&path), 0o640);
    if is_given {
        let owner = path.metadata().unwrap();
        assert_eq!((owner.uid(), owner.gid()), (12_345, 54_321));
    }
    assert_eq!(folder.count(), 2);
}

#[test]
fn a_pipe_is_written_and_stays() {
    let folder = Folder::new();
    let pipe = folder.path("f.png");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(is_written_through(&pipe));
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            File::open(pipe).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        })
    };
    // Looking at it is no end for the reader.
    check_output(&pipe, &SaveOptions::default()).unwrap();
    let image = Image::filled(7, 5, [1.0, 2.0, 3.0]);
    picture::save(&pipe, &image).unwrap();
    let read = picture::decode(&reader.join().unwrap(), Path::new("f.png")).unwrap();
    assert_eq!(read.image.as_slice(), image.as_slice());
    assert!(pipe.metadata().unwrap().file_type().is_fifo());
    assert_eq!(folder.count(), 1);
}

#[test]
fn a_device_is_written_and_stays() {
    let folder = Folder::new();
    let node = |name: &str, kind: &str| {
        let path = folder.path(name);
        let status = Command::new("mknod").arg(&path).args([kind, "1", "3"]).status();
        status.is_ok_and(|status| status.success()).then_some(path)
    };
    let (Some(null), Some(disk)) = (node("d.png", "c"), node("b.png", "b")) else {
        eprintln!("only the superuser can make devices");
        return;
    };
    // A system may allow nobody to open a device there.
    if File::options().write(true).open(&null).is_ok() {
        check_writable(&null).unwrap();
        picture::save(&null, &Image::filled(7, 5, [1.0; 3])).unwrap();
    }
    assert!(is_written_through(&null) && null.metadata().unwrap().file_type().is_char_device());
    assert_eq!(problem(&disk), "it is a block device, such as a disk; give the name of a file");
    assert!(disk.metadata().unwrap().file_type().is_block_device());
}

#[test]
fn what_cannot_be_written_is_refused_before_the_work() {
    let folder = Folder::new();
    let socket = folder.path("s.png");
    let _listener = UnixListener::bind(&socket).unwrap();
    assert_eq!(problem(&socket), "it is a socket; give the name of a file");
    for name in ["painted", "painted.png"] {
        let path = folder.path(name);
        fs::create_dir(&path).unwrap();
        let example = path.join("out.png");
        assert_eq!(problem(&path), format!("it is a folder; name the file too, as in {}", example.display()));
    }
    assert!(problem(&folder.path("new.png/")).starts_with("it is a folder"));
    assert_eq!(folder.count(), 3);
}
