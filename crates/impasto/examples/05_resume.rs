//! A run that is interrupted, saved, and continued by another session, to the same bits.

use std::path::Path;

use impasto::{Image, Network, Options, SavedState, Session, SizeOptions, picture, prepare};

fn main() -> impasto::Result<()> {
    let inputs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let photo = picture::load(&inputs.join("chelsea.jpg"))?;
    let painting = picture::load(&inputs.join("starry_night.jpg"))?;
    let (content, style) = prepare(&photo, &painting, &SizeOptions { size: 64, ..SizeOptions::default() })?;
    let network = Network::embedded()?;
    let options = Options { steps: 8, ..Options::default() };
    let session = || Session::new(&network, &content.image, &style.image, &options);
    let finished = |mut session: Session| -> impasto::Result<Image> {
        while session.step()?.is_none() {}
        Ok(session.image().clone())
    };

    let mut interrupted = session()?;
    for _ in 0..3 {
        interrupted.step()?;
    }
    let state = std::env::temp_dir().join("05_resume.state");
    interrupted.state().save(&state)?;
    drop(interrupted);

    let mut resumed = session()?;
    resumed.restore(&SavedState::open(&state)?)?;
    println!("continuing after {} steps", resumed.steps_done());
    assert!(finished(resumed)? == finished(session()?)?);
    Ok(())
}
