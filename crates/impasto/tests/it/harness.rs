//! What `hostile.rs` and the fuzz target do with a hostile file.

use std::path::Path;

use impasto::picture::{self, SaveOptions};

/// Reads `bytes` as a picture, and writes it again with everything that it carries. Any answer will
/// do, except a panic.
pub fn read_and_write(bytes: &[u8]) {
    let name = Path::new("picture.jpg");
    if let Ok(picture) = picture::decode(bytes, name) {
        // Pictures of 100 megapixels are allowed, but would fill the time.
        if picture.width() * picture.height() <= 1 << 16 {
            let small = picture.resized(5, 4);
            let options = SaveOptions {
                alpha: small.alpha.clone(),
                profile: small.profile.clone(),
                exif: small.exif.clone(),
                ..SaveOptions::default()
            };
            let written = picture::encode(&small.image, name, &options).expect("what was read can be written");
            picture::decode(&written, name).expect("what was written can be read");
        }
    }
    drop(picture::decode_recipe(bytes, name));
}
