//! An observer of one's own: it prints a line for each step, keeps pictures on the way, and ends the
//! run when the style is close enough.

use std::ops::ControlFlow;
use std::path::Path;

use impasto::sheet::{Block, Tile, sheet};
use impasto::{Network, Observer, Options, Progress, Session, SizeOptions, picture, prepare};

/// Ends the run when the style loss is below a fraction of its start.
struct UntilClose {
    target: f64,
    tiles: Vec<Tile>,
}

impl Observer for UntilClose {
    fn update(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        let distance = progress.losses.style_in_units();
        println!(
            "step {} of at most {}: the style is {distance:.2} away, {:.1} s left",
            progress.step,
            progress.steps,
            progress.left.as_secs_f64()
        );
        if progress.step.is_multiple_of(4) {
            self.tiles.push(Tile { image: progress.image.clone(), caption: format!("step {}", progress.step) });
        }
        if distance < self.target { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn main() -> impasto::Result<()> {
    let inputs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let photo = picture::load(&inputs.join("astronaut.jpg"))?;
    let painting = picture::load(&inputs.join("starry_night.jpg"))?;
    let (content, style) = prepare(&photo, &painting, &SizeOptions { size: 128, ..SizeOptions::default() })?;
    let options = Options { steps: 40, ..Options::default() };
    let mut session = Session::new(&Network::embedded()?, &content.image, &style.image, &options)?;

    let mut observer = UntilClose { target: 0.12, tiles: Vec::new() };
    let reason = session.run(&mut observer)?;
    println!("{reason} after {} steps", session.steps_done());
    let columns = observer.tiles.len();
    let steps = Block { heading: "On the way".to_owned(), tiles: observer.tiles, columns };
    picture::save(&std::env::temp_dir().join("06_observer.png"), &sheet(&[steps]))
}
