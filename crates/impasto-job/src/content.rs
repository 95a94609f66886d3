//! The picture to be painted, at the size that it is worked on.

use impasto::picture::{self, Exif, Picture, Profile, ReadOptions};
use impasto::{Layer, Mask};

use crate::error::{Error, Result};
use crate::events::{Event, Events};
use crate::job::Job;
use crate::job::inputs::{InitFrom, InputFile};
use crate::job::values::OutputSize;
use crate::pictures::{self, Enlarging, Remedy, SizeHint};
use crate::resolve::{Complete, Resolved};

/// A content at the size that it is worked on, and what the result takes over from it.
#[derive(Clone)]
pub(crate) struct Content {
    pub(crate) scaled: Picture,
    /// The longest side that was asked for, in px: its own if it keeps that.
    pub(crate) wanted: usize,
    pub(crate) alpha: Option<Mask>,
    pub(crate) profile: Option<Profile>,
    pub(crate) exif: Option<Exif>,
}

/// The file of a job's content.
///
/// Errors: the job has none.
pub(crate) fn file(job: &Job) -> Result<&InputFile> {
    let missing = || Error::field("inputs.content", "is missing; name a picture");
    job.inputs.content.as_ref().ok_or_else(missing)
}

impl Content {
    /// Reads the content of a job and brings it to size.
    ///
    /// Errors: a content that cannot be read, or that is too small for a layer.
    pub(crate) fn read(resolved: &Resolved, events: &mut dyn Events) -> Result<Content> {
        let Complete { options, size, numerics, .. } = &resolved.complete;
        let file = file(&resolved.job)?;
        // Only kept parts have colours that the network does not see.
        let own_values = resolved.job.inputs.keep.is_some();
        let picture = pictures::load_with(file, ReadOptions { memory: numerics.memory, own_values }, events)?;
        let own = (picture.width(), picture.height());
        let mut size = *size;
        if options.size == Some(OutputSize::Original) {
            size.size = own.0.max(own.1);
        }
        let (width, height) = picture::fit(own.0, own.1, size.content_longest(own.0, own.1));
        let scaled = picture.resized(width, height);
        // A term of weight 0 looks at no layer.
        let style_layers = numerics.style_loss.layers(&numerics.style_layers);
        let content_layers = pictures::layers(&numerics.content_layers).collect();
        let terms = [(numerics.style_weight, style_layers), (numerics.content_weight, content_layers)];
        let weighted = terms.into_iter().filter(|(weight, _)| *weight > 0.0);
        let layers: Vec<Layer> = weighted.flat_map(|(_, layers)| layers).collect();
        let enlarging = if size.upscale { Enlarging::Allowed } else { Enlarging::With("`upscale`") };
        let at = if (width, height) == own { String::new() } else { format!(" at `size` {}", size.size) };
        let hint = SizeHint { at, remedy: Remedy::Longest { option: "`size`", own, enlarging: Some(enlarging) } };
        pictures::check_sides(file.name(), &scaled.image, &layers, &hint)?;
        if stays_one_colour(&resolved.job, &scaled) {
            let text = "it has one colour, and so will the result; `init` noise paints from noise".to_owned();
            events.event(Event::Note { about: file.name().to_owned(), text });
        }
        // The file's own size can be much larger, and is not needed any more.
        let Picture { alpha, profile, exif, .. } = picture;
        Ok(Content { scaled, wanted: size.size, alpha, profile, exif })
    }
}

/// Returns whether a run would keep the one colour that a content has. All of its pixels then have
/// the same gradient, unless a mask treats them differently.
fn stays_one_colour(job: &Job, content: &Picture) -> bool {
    let inputs = &job.inputs;
    let starts_flat = matches!(inputs.init, None | Some(InitFrom::Content | InitFrom::Grey));
    let is_whole = inputs.mask.is_none() && inputs.keep.is_none() && content.alpha.is_none();
    let pixels = content.image.as_slice().as_chunks::<3>().0;
    starts_flat && is_whole && pixels.windows(2).all(|pair| pair[0] == pair[1])
}
