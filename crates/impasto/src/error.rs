//! What can go wrong, in words for the person who can set it right.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use impasto_engine::cpu::IsaError;
use impasto_engine::network::{DeviceError, EvaluationError, SpecError};
use impasto_engine::weights::WeightsError;
use impasto_engine::{Layer, ParseLayerError};

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Names the picture that an error is about. The library does not know its file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureRole {
    /// The content picture.
    Content,
    /// The style picture.
    Style,
    /// The picture to start from.
    Init,
    /// The picture to measure.
    Picture,
    /// The mask of the part of the content that a style goes to.
    Mask,
    /// The mask of the part of the content that stays as it is.
    Keep,
    /// The mask of the part of a style picture that counts.
    StyleMask,
    /// The opacity of the content picture.
    Opacity,
    /// The opacity of the style picture.
    StyleOpacity,
    /// The picture to inspect.
    Inspected,
}

impl fmt::Display for PictureRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PictureRole::Content => "the content picture",
            PictureRole::Style => "the style picture",
            PictureRole::Init => "the picture to start from",
            PictureRole::Picture => "the picture to measure",
            PictureRole::Mask => "the mask",
            PictureRole::Keep => "the mask of what is kept",
            PictureRole::StyleMask => "the mask of the style picture",
            PictureRole::Opacity => "the opacity of the content picture",
            PictureRole::StyleOpacity => "the opacity of the style picture",
            PictureRole::Inspected => "the picture to inspect",
        })
    }
}

/// Says why a call failed.
///
/// Every message is one line: it names the thing, says what was found, and what to do. The cause is
/// part of the message, so `source()` is always `None`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of an options struct has a value that makes no sense.
    #[error("`{option}` {problem}")]
    Option {
        /// The field's name, such as `style_weight`.
        option: &'static str,
        /// What is wrong with it, and what to give instead.
        problem: String,
    },
    /// VGG-19 has no layer of that name.
    #[error(transparent)]
    Layer(#[from] ParseLayerError),
    /// The weight of a layer is not a number above 0.
    #[error("the weight of {layer} is `{found}`; give a finite number above 0, as in {layer}:2.5")]
    LayerWeight {
        /// The layer.
        layer: Layer,
        /// The weight that was given.
        found: String,
    },
    /// The options leave no loss to minimise.
    #[error("nothing to minimise: content_weight, style_weight and tv_weight are all 0; make one of them positive")]
    NothingToMinimise,
    /// A picture has no pixels.
    #[error("{input} has no pixels")]
    Empty {
        /// Which picture.
        input: PictureRole,
    },
    /// A picture is so small that a layer's feature map would be empty.
    #[error("{input} is {width}x{height} px; {layer} needs at least {} px a side", layer.min_side())]
    TooSmall {
        /// Which picture.
        input: PictureRole,
        /// Its width in pixels.
        width: usize,
        /// Its height in pixels.
        height: usize,
        /// The deepest of the layers.
        layer: Layer,
    },
    /// A scale does not fit in the memory, however it is evaluated.
    #[error(
        "a picture of {width}x{height} px needs at least {} of memory, but only {} may be used; allow more, or choose a smaller size",
        bytes(*needed), bytes(*budget)
    )]
    OutOfMemory {
        /// Width of the scale in pixels.
        width: usize,
        /// Height of the scale in pixels.
        height: usize,
        /// Bytes that the process would need at least.
        needed: u64,
        /// Bytes that it may use: [`Options::memory`](crate::Options::memory).
        budget: u64,
    },
    /// A picture cannot wrap around, because a pooling before the layer would leave out a row or a
    /// column.
    #[error(
        "a picture of {width}x{height} px cannot wrap around: {layer} needs sides that are multiples of {} px; the nearest size is {}x{} px",
        layer.min_side(), nearest_multiple(*width, layer.min_side()), nearest_multiple(*height, layer.min_side())
    )]
    Uneven {
        /// Its width in pixels.
        width: usize,
        /// Its height in pixels.
        height: usize,
        /// The deepest of the layers.
        layer: Layer,
    },
    /// A pixel is NaN, infinite, or outside 0..255.
    #[error("{input} holds the value {value}; pixels are numbers from 0 to 255")]
    Values {
        /// Which picture.
        input: PictureRole,
        /// The first such value.
        value: f32,
    },
    /// The picture to measure and the content have different sizes.
    #[error(
        "the picture is {}x{} px, the content {}x{} px; resize one of them to measure them against each other",
        picture.0, picture.1, content.0, content.1
    )]
    SizeMismatch {
        /// Width and height of the picture in pixels.
        picture: (usize, usize),
        /// Width and height of the content in pixels.
        content: (usize, usize),
    },
    /// A picture is transparent everywhere.
    #[error("{input} has no visible part; its opacity is 0 everywhere")]
    NothingVisible {
        /// Which picture.
        input: PictureRole,
    },
    /// All of the content stays as it is.
    #[error("the mask of what is kept keeps all of the picture, and nothing is left to paint; make parts of it black")]
    NothingPainted,
    /// A mask leaves less than one position of a layer's feature map.
    #[error(
        "{input} leaves less than one position of {layer}{} at {width}x{height} px; {}, work at a larger size or with \
         fewer scales, or leave that layer out",
        if *input == PictureRole::Keep { " to paint" } else { "" },
        more_of(*input)
    )]
    MaskVanishes {
        /// Which mask. [`PictureRole::Mask`] is that of the styles: one of them has too small a part.
        input: PictureRole,
        /// The layer.
        layer: Layer,
        /// Width of the picture in pixels.
        width: usize,
        /// Height of the picture in pixels.
        height: usize,
    },
    /// A mask of colours has a colour that belongs to no style.
    #[error(
        "the mask has the colour {found} at {x},{y}, which belongs to none of the {styles} styles; paint it with {palette}"
    )]
    MaskColour {
        /// The colour, such as `#a0b0c0`.
        found: String,
        /// Its column, from 0.
        x: usize,
        /// Its row, from 0.
        y: usize,
        /// How many styles there are.
        styles: usize,
        /// The names of their colours.
        palette: String,
    },
    /// A mask of colours has a transparent place.
    #[error(
        "the mask is transparent at {x},{y}, which belongs to none of the {styles} styles; paint it with {palette}"
    )]
    MaskTransparent {
        /// The column of the place, from 0.
        x: usize,
        /// Its row, from 0.
        y: usize,
        /// How many styles there are.
        styles: usize,
        /// The names of their colours.
        palette: String,
    },
    /// The statistics of a style do not fit the run.
    #[error("the statistics of style {style} {problem}")]
    UnfitStatistics {
        /// Which of the styles, from 1.
        style: usize,
        /// What differs, and what to do.
        problem: String,
    },
    /// A style file cannot be used.
    #[error("{} is not a usable style file: {problem}; save it again with `impasto style save`", path.display())]
    StyleFile {
        /// The path given.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A state belongs to another run than the one that should continue from it.
    #[error("the state of the run does not fit: {problem}")]
    UnfitState {
        /// What differs, and what to do.
        problem: String,
    },
    /// A file holds no state of a run, or a damaged one.
    #[error("{} holds no usable state of a run: {problem}", path.display())]
    StateFile {
        /// The path given.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The loss or its gradient is not finite at the start.
    #[error(
        "{} at the start is not a finite number; the loss weights are too large; give smaller ones",
        if total.is_finite() { "the gradient of the loss" } else { "the loss" }
    )]
    NotFinite {
        /// The objective at the start. If it is finite, its gradient is not.
        total: f64,
    },
    /// The weights of the network cannot be used.
    #[error("{name}: {reason}")]
    Weights {
        /// The file, or where else the weights came from.
        name: String,
        /// What is wrong with them.
        reason: WeightsError,
    },
    /// The engine cannot evaluate the network in the way that the options ask for.
    #[error("{reason}")]
    Engine {
        /// The engine's reason.
        reason: SpecError,
    },
    /// A graphics card cannot be used, or failed.
    #[error("{reason}; compute on the CPU with `device` cpu, or try again")]
    Device {
        /// What happened.
        reason: DeviceError,
    },
    /// A picture does not fit in the memory of a graphics card.
    #[error(
        "a picture of {width}x{height} px needs {} of the card's memory, but only {} may be used; allow more with \
         `device-memory`, ask for a smaller picture, or compute on the CPU with `device` cpu",
        bytes(*needed), bytes(*budget)
    )]
    CardMemory {
        /// Width of the picture in pixels.
        width: usize,
        /// Height of the picture in pixels.
        height: usize,
        /// Bytes that it needs at least.
        needed: u64,
        /// Bytes that may be used.
        budget: u64,
    },
    /// `IMPASTO_ISA` names an instruction set that the CPU does not have.
    #[error(transparent)]
    InstructionSet(#[from] IsaError),
    /// There is no such file.
    #[error("there is no file {}", path.display())]
    Missing {
        /// The path given.
        path: PathBuf,
    },
    /// The path is a folder, but a file is needed.
    #[error("{} is a folder, not {wanted}", path.display())]
    Folder {
        /// The path given.
        path: PathBuf,
        /// What it should be, such as "a picture".
        wanted: &'static str,
    },
    /// The operating system does not let the file be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The path given.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// The file has no content.
    #[error("{} is empty (0 bytes); a copy or a download may have failed", path.display())]
    EmptyFile {
        /// The path given.
        path: PathBuf,
    },
    /// The file has none of the formats that are read.
    #[error("{} is not a picture that impasto can read (AVIF, HEIC, JPEG, JPEG XL, PNG, TIFF, WebP)", path.display())]
    NotAPicture {
        /// The path given.
        path: PathBuf,
    },
    /// The file has a known format, but uses a part of it that is not supported.
    #[error("{} cannot be read: {reason}; save it as an ordinary PNG or JPEG first", path.display())]
    Unsupported {
        /// The path given.
        path: PathBuf,
        /// The decoder's reason.
        reason: String,
    },
    /// The file is what a camera's sensor measured. It is no picture before a raw converter makes
    /// one of it.
    #[error("{} is a camera's raw file ({kind}); export it as TIFF or JPEG with your raw converter first", path.display())]
    CameraRaw {
        /// The path given.
        path: PathBuf,
        /// The name of its format, such as `DNG`.
        kind: &'static str,
    },
    /// The file begins like a picture, but is broken further on.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The path given.
        path: PathBuf,
        /// The decoder's reason.
        reason: String,
    },
    /// The picture has more pixels than are ever decoded.
    #[error(
        "{} is {width}x{height} px, {} megapixels; impasto reads up to {}; make it smaller first",
        path.display(), (width * height).div_ceil(1_000_000), most / 1_000_000
    )]
    TooManyPixels {
        /// The path given.
        path: PathBuf,
        /// Its width in pixels.
        width: u64,
        /// Its height in pixels.
        height: u64,
        /// The most pixels that are decoded.
        most: u64,
    },
    /// The picture has more pixels than can be read in the memory that may be used.
    #[error(
        "{} is {width}x{height} px; reading it takes {} of memory, but only {} may be used; allow more, or make it smaller first",
        path.display(), bytes(*needed), bytes(*budget)
    )]
    ReadingMemory {
        /// The path given.
        path: PathBuf,
        /// Its width in pixels.
        width: u64,
        /// Its height in pixels.
        height: u64,
        /// Bytes that reading it needs.
        needed: u64,
        /// Bytes that the process may use.
        budget: u64,
    },
    /// The file of the content's features cannot be made, written or read.
    #[error("cannot keep the photo's features in {}: {reason}; make room there, choose another folder, or do without a feature cache",
        folder.display())]
    FeatureCache {
        /// The folder that it was meant for:
        /// [`Options::feature_cache`](crate::Options::feature_cache).
        folder: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// A picture cannot be written to the path.
    #[error("cannot write {}: {problem}", path.display())]
    Write {
        /// The path given.
        path: PathBuf,
        /// What stands in the way, and what to do.
        problem: String,
    },
    /// The operating system does not give the threads.
    #[error("cannot start the threads: {reason}; ask for fewer")]
    Threads {
        /// The system's reason.
        reason: String,
    },
}

impl Error {
    /// Makes an error about a field of an options struct, from what is wrong and what to give
    /// instead.
    pub(crate) fn option(option: &'static str, problem: impl Into<String>) -> Self {
        Self::Option { option, problem: problem.into() }
    }

    /// Says why there is no workspace for a picture.
    pub(crate) fn of_spec(input: PictureRole, error: SpecError) -> Self {
        match error {
            SpecError::TooSmall { width, height, layer } => Self::TooSmall { input, width, height, layer },
            SpecError::Uneven { width, height, layer } => Self::Uneven { width, height, layer },
            SpecError::Device(reason) => Self::Device { reason },
            reason => Self::Engine { reason },
        }
    }

    /// Says why an evaluation failed. `folder` is the feature cache's.
    pub(crate) fn of_evaluation(folder: Option<&Path>, error: &EvaluationError) -> Self {
        match error {
            EvaluationError::FeatureFile(reason) => Self::feature_cache(folder.unwrap_or(Path::new("")), reason),
            EvaluationError::Device(reason) => Self::of_device(reason.clone()),
        }
    }

    /// Says that a card failed.
    pub(crate) fn of_device(reason: DeviceError) -> Self {
        Self::Device { reason }
    }

    /// Says why the feature cache in `folder` is of no use.
    pub(crate) fn feature_cache(folder: &Path, reason: &io::Error) -> Self {
        Self::FeatureCache { folder: folder.to_owned(), reason: reason.to_string() }
    }
}

/// Says what helps if a mask leaves too little.
fn more_of(input: PictureRole) -> &'static str {
    match input {
        PictureRole::Keep => "keep less",
        PictureRole::Mask => "give each style a larger part",
        PictureRole::Opacity | PictureRole::StyleOpacity => "make more of it opaque",
        _ => "let it cover more",
    }
}

/// Writes bytes in words: `310.0 MiB`.
fn bytes(bytes: u64) -> impl fmt::Display {
    bytesize::ByteSize(bytes).display().iec()
}

/// Returns the multiple of `of` that is nearest to `side`, at least one of it.
pub(crate) fn nearest_multiple(side: usize, of: usize) -> usize {
    ((side + of / 2) / of).max(1) * of
}
