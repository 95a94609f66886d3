//! What can go wrong, in words for the person who can set it right.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use impasto_engine::cpu::IsaError;
use impasto_engine::network::{EvaluationError, SpecError};
use impasto_engine::weights::WeightsError;
use impasto_engine::{Layer, ParseLayerError};

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Which of the pictures an error is about, where the library knows no file name.
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
    /// The mask that says where a style goes.
    Mask,
    /// The mask of what is left alone.
    Keep,
    /// The mask of what counts of a style picture.
    StyleMask,
    /// The opacity of a picture.
    Opacity,
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
            PictureRole::Opacity => "the opacity",
            PictureRole::Inspected => "the picture to inspect",
        })
    }
}

/// Why a call failed. Every message is one line: what it is about, what was found, and what to do.
///
/// The cause is part of the message, so `source()` is always `None`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of an options struct holds what cannot be meant.
    #[error("`{option}` {problem}")]
    Option {
        /// The field's name, `style_weight`.
        option: &'static str,
        /// What is wrong, and what to give instead.
        problem: String,
    },
    /// A layer's name is not one of VGG-19's.
    #[error(transparent)]
    Layer(#[from] ParseLayerError),
    /// The weight of a layer is no number above 0.
    #[error("the weight of {layer} is `{found}`; give a finite number above 0, as in {layer}:2.5")]
    LayerWeight {
        /// The layer.
        layer: Layer,
        /// What was given.
        found: String,
    },
    /// The options leave no loss to minimise.
    #[error("nothing to minimise: content_weight, style_weight and tv_weight are all 0; make one of them positive")]
    NothingToMinimise,
    /// A picture without pixels.
    #[error("{input} has no pixels")]
    Empty {
        /// Which picture.
        input: PictureRole,
    },
    /// A picture for which a layer's feature map would be empty.
    #[error("{input} is {width}x{height} px; {layer} needs at least {} px a side", layer.min_side())]
    TooSmall {
        /// Which picture.
        input: PictureRole,
        /// Its width in pixels.
        width: usize,
        /// Its height in pixels.
        height: usize,
        /// The layer that asks for the largest picture.
        layer: Layer,
    },
    /// A scale that does not fit the memory in any way.
    #[error(
        "a picture of {width}x{height} px needs {} of memory at least, and {} are what it may take; allow more, or choose a smaller size",
        bytes(*needed), bytes(*budget)
    )]
    OutOfMemory {
        /// Width of the scale in pixels.
        width: usize,
        /// Height of the scale in pixels.
        height: usize,
        /// Bytes that the process would need.
        needed: u64,
        /// Bytes that it may take: [`Options::memory`](crate::Options::memory).
        budget: u64,
    },
    /// A picture that cannot wrap around, for a pooling before the layer leaves a row or a column out.
    #[error(
        "a picture of {width}x{height} px cannot wrap around: {layer} needs sides that are multiples of {} px; the nearest size is {}x{} px",
        layer.min_side(), nearest_multiple(*width, layer.min_side()), nearest_multiple(*height, layer.min_side())
    )]
    Uneven {
        /// Its width in pixels.
        width: usize,
        /// Its height in pixels.
        height: usize,
        /// The layer that asks for the largest multiple.
        layer: Layer,
    },
    /// Pixel values that are NaN, infinite, or outside 0..255.
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
    /// A picture of which nothing can be seen.
    #[error("{input} has no visible part; its opacity is 0 everywhere")]
    NothingVisible {
        /// Which picture.
        input: PictureRole,
    },
    /// A mask leaves less than one position of a layer's feature map.
    #[error(
        "{input} leaves less than one position of {layer} at {width}x{height} px; let it cover more, work at a larger size or with fewer \
         scales, or leave that layer out"
    )]
    MaskVanishes {
        /// Which mask; of what it masks, the transparent and the kept parts are gone too.
        input: PictureRole,
        /// The layer.
        layer: Layer,
        /// Width of the picture in pixels.
        width: usize,
        /// Height of the picture in pixels.
        height: usize,
    },
    /// A mask of colours holds one that belongs to no style.
    #[error(
        "the mask has the colour {found} at {x},{y}, which belongs to none of the {styles} styles; paint it with {palette}"
    )]
    MaskColour {
        /// The colour, `#a0b0c0`.
        found: String,
        /// Where it is: column.
        x: usize,
        /// Where it is: row.
        y: usize,
        /// How many styles there are.
        styles: usize,
        /// The colours that there may be.
        palette: String,
    },
    /// Statistics of a style that do not fit the run.
    #[error("the statistics of style {style} {problem}")]
    UnfitStatistics {
        /// Which of the styles, from 1.
        style: usize,
        /// What is different, and what to do.
        problem: String,
    },
    /// A style file that cannot be used.
    #[error("{} is no style file that impasto can use: {problem}; save it anew with `impasto style save`", path.display())]
    StyleFile {
        /// The path given.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The state of another run than the one that is to go on from it.
    #[error("the state of the run does not fit: {problem}")]
    UnfitState {
        /// What is different, and what to do.
        problem: String,
    },
    /// A file that holds no state of a run, or a damaged one.
    #[error("{} holds no state of a run that impasto can use: {problem}", path.display())]
    StateFile {
        /// The path given.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The start has no finite loss or gradient.
    #[error(
        "the loss of the start is not a finite number ({total:e}); the loss weights are too large, give smaller ones"
    )]
    NotFinite {
        /// The objective at the start.
        total: f64,
    },
    /// The weights of the network cannot be used.
    #[error("{name}: {reason}")]
    Weights {
        /// The file, or what else the weights came from.
        name: String,
        /// What is wrong with them.
        reason: WeightsError,
    },
    /// The engine cannot evaluate the network as it was told to.
    #[error("{reason}")]
    Engine {
        /// The engine's reason.
        reason: SpecError,
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
    /// The path is a folder where a file is needed.
    #[error("{} is a folder, not {wanted}", path.display())]
    Folder {
        /// The path given.
        path: PathBuf,
        /// What it should be, "a picture".
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
    /// The file's content is in none of the formats known.
    #[error("{} is not a picture that impasto can read (JPEG, PNG, TIFF, WebP)", path.display())]
    NotAPicture {
        /// The path given.
        path: PathBuf,
    },
    /// The file is in a known format, but uses a part of it that is not supported.
    #[error("{} cannot be read: {reason}; save it as an ordinary PNG or JPEG first", path.display())]
    Unsupported {
        /// The path given.
        path: PathBuf,
        /// The decoder's reason.
        reason: String,
    },
    /// The file begins as a picture and ends, or continues, as none.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The path given.
        path: PathBuf,
        /// The decoder's reason.
        reason: String,
    },
    /// The picture has more pixels than are decoded.
    #[error(
        "{} is {width}x{height} px, {} megapixels; impasto reads up to {}: make it smaller first",
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
    /// The picture has more pixels than can be read in the memory that may be taken.
    #[error(
        "{} is {width}x{height} px; reading it takes {} of memory, and {} are what it may take; allow more, or make it smaller first",
        path.display(), bytes(*needed), bytes(*budget)
    )]
    ReadingMemory {
        /// The path given.
        path: PathBuf,
        /// Its width in pixels.
        width: u64,
        /// Its height in pixels.
        height: u64,
        /// Bytes that reading it takes.
        needed: u64,
        /// Bytes that the process may take.
        budget: u64,
    },
    /// The file of the content's features cannot be made, written or read.
    #[error("cannot keep the photo's features in {}: {reason}; make room there, name another folder, or have them computed anew",
        folder.display())]
    FeatureCache {
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
    /// The operating system gives no threads.
    #[error("cannot start the threads: {reason}; ask for fewer")]
    Threads {
        /// The system's reason.
        reason: String,
    },
}

impl Error {
    /// The field of an options struct that holds what cannot be meant, and what to give instead.
    pub(crate) fn option(option: &'static str, problem: impl Into<String>) -> Self {
        Self::Option { option, problem: problem.into() }
    }

    /// Why there is no workspace for a picture.
    pub(crate) fn of_spec(input: PictureRole, error: SpecError) -> Self {
        match error {
            SpecError::TooSmall { width, height, layer } => Self::TooSmall { input, width, height, layer },
            SpecError::Uneven { width, height, layer } => Self::Uneven { width, height, layer },
            reason => Self::Engine { reason },
        }
    }

    /// Why an evaluation failed. `folder`: for the file of the content's features.
    pub(crate) fn of_evaluation(folder: Option<&Path>, error: &EvaluationError) -> Self {
        match error {
            EvaluationError::FeatureFile(reason) => Self::feature_cache(folder.unwrap_or(Path::new("")), reason),
        }
    }

    /// Why the file of the content's features is of no use. `folder`: where it was to be.
    pub(crate) fn feature_cache(folder: &Path, reason: &io::Error) -> Self {
        Self::FeatureCache { folder: folder.to_owned(), reason: reason.to_string() }
    }
}

/// Bytes in words: `310.0 MiB`.
fn bytes(bytes: u64) -> impl fmt::Display {
    bytesize::ByteSize(bytes).display().iec()
}

/// The multiple of `of` that is nearest to `side`, and not 0.
pub(crate) fn nearest_multiple(side: usize, of: usize) -> usize {
    ((side + of / 2) / of).max(1) * of
}
