//! The seam on a card: the bands of an image, the terms, and the order of the passes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::cpu::Isa;
use crate::gpu::device::{GpuBuffer, GpuDevice};
use crate::gpu::filters::GpuFilters;
use crate::gpu::maps::{BandMaps, MapBuffers};
use crate::gpu::optimizer::adam::GpuAdam;
use crate::gpu::optimizer::lbfgs::GpuLbfgs;
use crate::gpu::optimizer::pixels::TrialPasses;
use crate::gpu::passes::Passes;
use crate::gpu::terms::{GpuContent, GpuMatch, GpuStyle, Scratch, TermMap, squares};
use crate::gpu::times::PassTimes;
use crate::layer::{Layer, LayerKind};
use crate::network::{
    Changes, DeviceError, EvaluationError, LayerFeatures, LayerTime, PixelTerms, ReferenceSums, ResidentAdam,
    ResidentLbfgs, ResidentLbfgsSpec, ResidentWorkspace, ShaderTime, Squares, StyleSums, Workspace, WorkspaceSpec,
};
use crate::padding::Padding;
use crate::plan::card::CardBand;
use crate::tensor::Image;

/// Images of one size on a card. All its passes are prepared.
pub(crate) struct GpuWorkspace {
    device: Arc<GpuDevice>,
    /// `[H, W, 3]`
    image: GpuBuffer,
    gradient: GpuBuffer,
    width: usize,
    height: usize,
    bands: Vec<BandPasses>,
    shown: Vec<Layer>,
    styles: Vec<GpuStyle>,
    contents: Vec<GpuContent>,
    matches: Vec<GpuMatch>,
    has_reference: bool,
    /// Whether the next forward pass finds the matches anew.
    renews_matches: bool,
    /// The search for matches is on the CPU.
    isa: Isa,
    /// What an optimiser on the card wants evaluated, if there is one.
    trial: Option<TrialPasses>,
    /// Of the last evaluation. `None`: times are not measured.
    times: RefCell<Option<PassTimes>>,
}

/// What the card does with a band. The bands share their maps, so the maps of an image in several
/// bands are there only until the next band.
struct BandPasses {
    /// From the image to the maps.
    forward: Passes,
    /// From the maps to the sums of the style terms.
    sums: Passes,
    /// From the maps to the reference and its sums.
    of_reference: Passes,
    /// From the maps to the squared differences.
    squares: Passes,
    /// From the maps and masks to the gradient.
    backward: Passes,
    /// The layers to show.
    shown: Vec<TermMap>,
}

impl GpuWorkspace {
    /// A workspace for a spec that has been checked.
    ///
    /// # Errors
    /// The maps do not fit the card.
    pub(crate) fn new(
        device: Arc<GpuDevice>,
        filters: &GpuFilters,
        isa: Isa,
        spec: WorkspaceSpec,
    ) -> Result<Self, DeviceError> {
        let layers = spec.layers();
        let bands = CardBand::all(&spec.layout, spec.height, layers[layers.len() - 1]);
        let rows = bands.iter().map(|band| band.extent.len()).max().unwrap_or(0);
        let first_map = rows * spec.width * Layer::at(0, LayerKind::Relu).channels();
        let largest = first_map.max(3 * spec.width * spec.height);
        if largest > device.largest_buffer() {
            return Err(DeviceError::MapTooLarge {
                name: device.identity().to_owned(),
                width: spec.width,
                height: rows,
                needed: 4 * largest as u64,
                largest: 4 * device.largest_buffer() as u64,
            });
        }
        device.within_memory(|| Self::prepare(&device, filters, isa, spec, &bands, rows))
    }

    fn prepare(
        device: &Arc<GpuDevice>,
        filters: &GpuFilters,
        isa: Isa,
        spec: WorkspaceSpec,
        bands: &[CardBand],
        rows: usize,
    ) -> Self {
        let buffers = MapBuffers::new(device, &spec, rows);
        let whole = 3 * spec.width * spec.height;
        let [image, gradient] = match bands {
            [_] => [&buffers.image, &buffers.gradient].map(GpuBuffer::clone),
            _ => [(); 2].map(|()| device.buffer(whole)),
        };
        let scratch = Scratch::new(device, &spec.layers(), rows * spec.width);
        let size = |layer: Layer| [spec.height >> layer.poolings(), spec.width >> layer.poolings()];
        let positions = |layer: Layer| size(layer).iter().product();
        let wraps = spec.padding == Padding::Circular;
        let styles = spec.styles.iter().map(|term| GpuStyle::new(device, term, size(term.layer)));
        let mut styles: Vec<_> = styles.collect();
        let contents = spec.contents.iter().map(|term| GpuContent::new(device, term, positions(term.layer)));
        let mut contents: Vec<_> = contents.collect();
        let matches = spec.matches.iter().map(|term| GpuMatch::new(device, term, size(term.layer), wraps));
        let mut matches: Vec<_> = matches.collect();
        let mut all = Vec::with_capacity(bands.len());
        for (number, band) in bands.iter().enumerate() {
            let maps = BandMaps { device, filters, spec: &spec, buffers: &buffers, band };
            let [mut sums, mut of_reference, mut squares] = [(); 3].map(|()| Passes::default());
            for style in &mut styles {
                style.add_band(device, &mut sums, &scratch, maps.term_map(style.layer()));
            }
            for content in &mut contents {
                let map = maps.term_map(content.layer());
                content.add_band(device, &mut of_reference, &mut squares, &scratch, map);
            }
            for term in &mut matches {
                term.add_band(device, &mut squares, maps.term_map(term.layer()));
            }
            let backward = maps.backward(&gradient, &mut |passes, layer, gradient| {
                for style in styles.iter().filter(|style| style.layer() == layer) {
                    style.add_gradient(device, passes, number, gradient);
                }
                for content in contents.iter().filter(|content| content.layer() == layer) {
                    content.add_gradient(device, passes, number, gradient);
                }
                for term in matches.iter().filter(|term| term.layer() == layer) {
                    term.add_gradient(device, passes, number, gradient);
                }
            });
            let shown = spec.shown.iter().map(|&layer| maps.term_map(layer)).collect();
            all.push(BandPasses { forward: maps.forward(&image), sums, of_reference, squares, backward, shown });
        }
        Self {
            device: device.clone(),
            image,
            gradient,
            width: spec.width,
            height: spec.height,
            bands: all,
            shown: spec.shown,
            styles,
            contents,
            matches,
            has_reference: false,
            renews_matches: false,
            isa,
            trial: None,
            times: RefCell::new(None),
        }
    }

    /// Submits passes, and measures them if that is asked for.
    fn run(&self, passes: &Passes) -> Result<(), DeviceError> {
        match &mut *self.times.borrow_mut() {
            Some(times) => passes.run_timed(&self.device, times),
            None => {
                passes.run(&self.device);
                Ok(())
            }
        }
    }

    /// Whether the maps of the last forward pass are still there.
    fn is_whole(&self) -> bool {
        self.bands.len() == 1
    }

    /// Sends an image to the card.
    fn send(&self, image: &[f32]) {
        assert_eq!(image.len(), self.image.len, "the image has another size");
        self.device.write(&self.image, image);
    }

    /// Evaluates the image on the card, band by band. Returns the sums of the style terms and of
    /// the contents' reference. `is_reference`: the image becomes the reference. `searches`:
    /// matches are found anew.
    fn evaluate(&mut self, is_reference: bool, searches: bool) -> Result<ReferenceSums, DeviceError> {
        if let Some(times) = &mut *self.times.borrow_mut() {
            *times = PassTimes::default();
        }
        let mut styles: Vec<_> = self.styles.iter().map(GpuStyle::no_sums).collect();
        let mut contents: Vec<_> = self.contents.iter().map(GpuContent::no_reference_sums).collect();
        let mut maps = vec![vec![]; if searches { self.matches.len() } else { 0 }];
        for (number, band) in self.bands.iter().enumerate() {
            self.run(&band.forward)?;
            self.run(&band.sums)?;
            if is_reference {
                self.run(&band.of_reference)?;
            }
            let style_outputs = self.styles.iter().flat_map(|style| style.outputs(number));
            let of_contents = self.contents.iter().filter(|_| is_reference);
            let reference_outputs = of_contents.flat_map(|content| content.reference_outputs(number));
            let outputs = style_outputs.chain(reference_outputs).map(|(buffer, len)| (buffer, 0..len));
            let searched = self.matches.iter().filter(|_| searches).map(|term| term.map(number));
            let searched = searched.map(|map| (&map.values, map.counted_values()));
            let mut values = self.device.read(&outputs.chain(searched).collect::<Vec<_>>())?.into_iter();
            for (style, sums) in self.styles.iter().zip(&mut styles) {
                style.add_sums(number, &mut values, sums);
            }
            if is_reference {
                for (content, sums) in self.contents.iter().zip(&mut contents) {
                    content.add_reference_sums(number, &mut values, sums);
                }
            }
            maps.iter_mut().zip(values).for_each(|(map, rows)| map.extend(rows));
        }
        self.styles.iter().zip(&mut styles).for_each(|(style, sums)| style.complete(sums));
        for (term, map) in self.matches.iter_mut().zip(maps) {
            term.search(&self.device, self.isa, &map);
        }
        Ok(ReferenceSums { styles, contents, matches: vec![] })
    }

    /// Takes the changes of all terms, and makes room for their gradient.
    fn take_changes(&self, changes: &Changes<'_>) {
        let Self { device, styles, contents, matches, .. } = self;
        assert_eq!(changes.styles.len(), styles.len(), "one change a style term");
        assert_eq!(changes.contents.len(), contents.len(), "one change a content term");
        assert_eq!(changes.matches.len(), matches.len(), "one change a match term");
        assert!(contents.is_empty() || self.has_reference, "there is a reference");
        assert!(matches.iter().all(|term| !term.matches().is_empty()), "matches have been found");
        styles.iter().zip(&changes.styles).for_each(|(style, change)| style.set_change(device, change));
        contents.iter().zip(&changes.contents).for_each(|(content, &c)| content.set_factor(device, c));
        matches.iter().zip(&changes.matches).for_each(|(term, &c)| term.set_factor(device, c));
        if !self.is_whole() {
            let mut zeros = Passes::default();
            zeros.clear(&self.gradient, self.gradient.len);
            zeros.run(device);
        }
    }

    /// Returns `Σ w |F - Y|²` of the terms on the last image. With `goes_back`, makes the gradient
    /// as well. `last`: passes after all bands, and a buffer that comes back after them.
    fn squares(
        &self,
        goes_back: bool,
        last: Option<(&Passes, &GpuBuffer)>,
    ) -> Result<(Squares, Option<Vec<f32>>), DeviceError> {
        let Self { device, contents, matches, .. } = self;
        let mut sums = Squares { contents: vec![0.0; contents.len()], matches: vec![0.0; matches.len()] };
        let mut came_back = None;
        for (number, band) in self.bands.iter().enumerate() {
            if !self.is_whole() {
                self.run(&band.forward)?;
            }
            self.run(&band.squares)?;
            let of_contents = contents.iter().map(|term| term.output(number));
            let of_matches = matches.iter().map(|term| term.output(number));
            let mut outputs: Vec<_> = of_contents.chain(of_matches).map(|(buffer, len)| (buffer, 0..len)).collect();
            if goes_back {
                self.run(&band.backward)?;
            }
            if let Some((passes, buffer)) = last.filter(|_| number + 1 == self.bands.len()) {
                self.run(passes)?;
                outputs.push((buffer, 0..buffer.len));
            }
            let mut values = device.read(&outputs)?.into_iter();
            for sum in sums.contents.iter_mut().chain(&mut sums.matches) {
                *sum += squares(&mut values);
            }
            came_back = values.next();
        }
        Ok((sums, came_back))
    }

    /// Prepares the passes around the trial of an optimiser, and what `make` makes of it.
    ///
    /// Errors: there is no memory for them.
    fn with_trial<T>(
        &mut self,
        terms: &PixelTerms<'_>,
        make: impl FnOnce(&Self, &GpuBuffer) -> T,
    ) -> Result<T, DeviceError> {
        // What was there before makes room.
        self.trial = None;
        let size = [self.height, self.width];
        let (trial, made) = self.device.within_memory(|| {
            let trial = TrialPasses::new(&self.device, terms, size, &self.image, &self.gradient);
            let made = make(self, &trial.trial);
            (trial, made)
        })?;
        self.trial = Some(trial);
        Ok(made)
    }
}

impl Workspace for GpuWorkspace {
    fn set_reference(
        &mut self,
        image: &Image,
        _make_file: &mut dyn FnMut() -> io::Result<File>,
    ) -> Result<ReferenceSums, EvaluationError> {
        self.renews_matches = false;
        self.has_reference = false;
        assert_eq!(image.width(), self.width, "the image has another size");
        self.send(image.as_slice());
        let sums = self.evaluate(true, !self.matches.is_empty())?;
        self.has_reference = true;
        let matches = if self.matches.is_empty() { vec![] } else { self.squares(false, None)?.0.matches };
        Ok(ReferenceSums { matches, ..sums })
    }

    fn forward(&mut self, image: &[f32]) -> Result<Vec<StyleSums>, EvaluationError> {
        self.send(image);
        let searches = std::mem::take(&mut self.renews_matches) && !self.matches.is_empty();
        Ok(self.evaluate(false, searches)?.styles)
    }

    fn renew_matches(&mut self) {
        self.renews_matches = true;
    }

    fn matches(&self) -> Vec<&[u32]> {
        self.matches.iter().map(GpuMatch::matches).collect()
    }

    fn set_matches(&mut self, matches: &[Vec<u32>]) -> bool {
        let Self { device, matches: terms, .. } = self;
        matches.len() == terms.len()
            && terms.iter_mut().zip(matches).all(|(term, matches)| term.set_matches(device, matches))
    }

    fn backward(
        &mut self,
        image: &[f32],
        changes: &Changes<'_>,
        gradient: &mut [f32],
    ) -> Result<Squares, EvaluationError> {
        assert_eq!(image.len(), self.image.len, "the image has another size");
        assert_eq!(gradient.len(), self.gradient.len, "the gradient has another size");
        self.take_changes(changes);
        let (squares, values) = self.squares(true, Some((&Passes::default(), &self.gradient)))?;
        gradient.copy_from_slice(&values.unwrap_or_default());
        Ok(squares)
    }

    fn features(&self, layer: Layer) -> Result<LayerFeatures<'_>, EvaluationError> {
        assert!(self.shown.contains(&layer), "{layer} is none of the layers to show");
        let (height, width) = (self.height >> layer.poolings(), self.width >> layer.poolings());
        let mut values = Vec::with_capacity(height * width * layer.channels());
        for band in &self.bands {
            if !self.is_whole() {
                self.run(&band.forward)?;
            }
            let maps = band.shown.iter().filter(|map| map.layer == layer).take(1);
            let rows = maps.map(|map| (&map.values, map.counted_values())).collect::<Vec<_>>();
            values.extend(self.device.read(&rows)?.concat());
        }
        Ok(LayerFeatures { layer, height, width, values: Cow::Owned(values) })
    }

    fn resident(&mut self) -> Option<&mut dyn ResidentWorkspace> {
        Some(self)
    }

    fn measure_passes(&mut self) {
        self.times.replace(Some(PassTimes::default()));
    }

    fn layer_times(&self) -> Vec<LayerTime> {
        self.times.borrow().as_ref().map_or(vec![], |times| times.layers(self.width, self.height))
    }

    fn shader_times(&self) -> Vec<ShaderTime> {
        self.times.borrow().as_ref().map_or(vec![], PassTimes::shaders)
    }

    fn identity(&self) -> &str {
        self.device.identity()
    }
}

impl ResidentWorkspace for GpuWorkspace {
    fn lbfgs(
        &mut self,
        spec: &ResidentLbfgsSpec<'_>,
        terms: &PixelTerms<'_>,
    ) -> Result<Box<dyn ResidentLbfgs>, DeviceError> {
        let size = [self.height, self.width];
        let lbfgs = self.with_trial(terms, |of, trial| GpuLbfgs::new(&of.device, spec, size, trial, &of.gradient))?;
        Ok(Box::new(lbfgs))
    }

    fn adam(&mut self, terms: &PixelTerms<'_>) -> Result<Box<dyn ResidentAdam>, DeviceError> {
        let adam = self.with_trial(terms, |of, trial| GpuAdam::new(&of.device, trial, &of.gradient))?;
        Ok(Box::new(adam))
    }

    fn forward(&mut self) -> Result<Vec<StyleSums>, EvaluationError> {
        let trial = self.trial.as_ref().expect("there is an optimiser");
        self.run(&trial.show)?;
        let searches = std::mem::take(&mut self.renews_matches) && !self.matches.is_empty();
        Ok(self.evaluate(false, searches)?.styles)
    }

    fn backward(&mut self, changes: &Changes<'_>) -> Result<(Squares, f64), EvaluationError> {
        self.take_changes(changes);
        let trial = self.trial.as_ref().expect("there is an optimiser");
        let (squares, values) = self.squares(true, Some((&trial.add_terms, &trial.variation)))?;
        Ok((squares, values.unwrap_or_default().iter().map(|&sum| f64::from(sum)).sum()))
    }
}
