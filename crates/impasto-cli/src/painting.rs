//! From what was asked for and read to a session, and from its picture to the result.

use std::path::Path;

use impasto::picture::{self, Picture, SaveOptions};
use impasto::{ColorMode, Image, Init, Layer, Network, Options, Session, SizeOptions, Style, Subject};

use crate::args::{FileArgs, InitFrom, Limits, OutputSize, TransferArgs};
use crate::styles::Source;
use crate::{input, options, styles};

/// What is asked for of one picture.
pub struct Wish<'a> {
    pub files: &'a FileArgs,
    pub args: &'a TransferArgs,
    pub size: SizeOptions,
    pub options: Options,
    /// What a run was planned for that is to go on.
    pub resumed: Option<Limits>,
}

impl<'a> Wish<'a> {
    /// Errors: options that cannot be meant.
    pub fn new(files: &'a FileArgs, args: &'a TransferArgs) -> anyhow::Result<Wish<'a>> {
        let (size, options) = (options::size_options(args)?, options::options(args)?);
        size.validate()?;
        options.validate()?;
        Ok(Wish { files, args, size, options, resumed: args.memory.resumed.clone() })
    }

    /// The content at the size that it is worked on, which is known from now on even if it is to be the content's own.
    pub fn scale(&mut self, content: &Picture) -> anyhow::Result<Picture> {
        if self.args.size.size == Some(OutputSize::Original) {
            self.size.size = content.width().max(content.height());
        }
        let Wish { size, options, .. } = self;
        let longest = size.content_longest(content.width(), content.height());
        let (width, height) = picture::fit(content.width(), content.height(), longest);
        let scaled = content.resized(width, height);
        // A term of weight 0 looks at no layer.
        let terms = [(options.style_weight, &options.style_layers), (options.content_weight, &options.content_layers)];
        let weighted = terms.into_iter().filter(|(weight, _)| *weight > 0.0);
        let layers: Vec<Layer> = weighted.flat_map(|(_, layers)| input::layers(layers)).collect();
        let (how, advice) = if (width, height) != (content.width(), content.height()) {
            (format!(" at --size {}", size.size), "; choose a larger --size")
        } else {
            (String::new(), "; take a larger picture or add --upscale")
        };
        input::check_sides(&self.files.content, &scaled.image, &layers, &how, advice)?;
        Ok(scaled)
    }
}

/// The picture that `--init` names.
pub fn load_init(args: &TransferArgs) -> anyhow::Result<Option<Picture>> {
    match &args.optimization.init {
        InitFrom::File(path) => input::load(path, args.reading()).map(Some),
        InitFrom::Content | InitFrom::Noise => Ok(None),
    }
}

/// A picture to be made, with all that its session needs but the network.
pub struct Painting<'a> {
    wish: Wish<'a>,
    mode: ColorMode,
    /// In its own colours, of the result's size.
    content: Image,
    subject: Subject,
    styles: Vec<Style>,
}

impl<'a> Painting<'a> {
    /// `content`: what [`Wish::scale`] made of it; `init`: what [`load_init`] read.
    ///
    /// Errors: styles and masks that do not go with the content, colours that a style has not.
    pub fn new(
        mut wish: Wish<'a>,
        content: Picture,
        sources: impl IntoIterator<Item = anyhow::Result<Source>>,
        init: Option<&Picture>,
    ) -> anyhow::Result<Painting<'a>> {
        let (files, regions) = (wish.files, &wish.args.regions);
        let mode = wish.args.colors.colors.into();
        let reading = wish.args.reading();
        let styles = styles::scaled(sources, files, regions, &wish.size, &wish.options, &content.image, reading)?;
        let styles = styles::recolored(styles, files, mode, &content.image)?;
        let subject = styles::subject(&files.content, regions, &content, mode, reading)?;
        if let Some(init) = init {
            wish.options.init = Init::Image(init.resized(content.width(), content.height()).image);
        }
        Ok(Painting { wish, mode, content: content.image, subject, styles })
    }

    /// Leaves memory to writing the picture as `save` says, in its colours, and its snapshots, and finds a place for what the memory does not
    /// hold.
    ///
    /// Errors: what cannot be written so.
    pub fn set_limits(&mut self, output: &Path, save: &SaveOptions) -> anyhow::Result<()> {
        let (width, height) = self.size();
        // The content's colours are given to a copy.
        let recoloured = usize::from(matches!(self.mode, ColorMode::Content | ColorMode::Luminance));
        // A snapshot of a coarser scale is enlarged, in linear light.
        let enlarged = if self.wish.files.save_every.is_some() { 2 } else { 0 };
        let pictures = (recoloured + enlarged) * 3 * size_of::<f32>() * width * height;
        let Wish { files, args, options, resumed, .. } = &mut self.wish;
        options.reserved_bytes = pictures as u64 + save.memory(output, width, height)?;
        options.feature_cache = match resumed {
            Some(limits) => limits.scratch.clone(),
            None => args.scratch.folder(&files.output, options.feature_cache_bytes(width, height)),
        };
        options.feature_cache.as_deref().map_or(Ok(()), impasto::check_feature_cache)?;
        Ok(())
    }

    /// The run that makes it. Errors carry the name of the file that they are about.
    pub fn session(&self, network: &Network) -> anyhow::Result<Session> {
        let session = Session::with_styles(network, &self.subject, &self.styles, &self.wish.options);
        session.map_err(|error| styles::with_name(error, &styles::named(self.wish.files), &self.wish.args.regions))
    }

    /// Gives the style pictures back, which a session that has been made has for itself for as long as it needs them.
    pub fn leave_styles(&mut self) {
        self.styles = vec![];
    }

    /// A picture of the run in the result's size and colours.
    pub fn finish(&self, picture: &Image) -> Image {
        let (width, height) = self.size();
        self.mode.finish(picture::resize(picture, width, height), &self.content)
    }

    pub fn options(&self) -> &Options {
        &self.wish.options
    }

    /// Width and height of the result in px.
    pub fn size(&self) -> (usize, usize) {
        (self.content.width(), self.content.height())
    }
}
