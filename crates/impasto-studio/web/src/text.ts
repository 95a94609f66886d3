/** Every word that the page shows. To translate the page, translate this file. */

import type { JobView, Step } from "./api/types";

const plural = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;

export const text = {
  locale: "en-GB",
  program: "impasto",
  title: (percent: number | null): string =>
    percent === null ? "impasto studio" : `${percent} % · impasto studio`,

  units: {
    underSecond: "under 1\u00a0s",
    seconds: (count: number): string => `${count}\u00a0s`,
    minutes: (count: number): string => `${count}\u00a0min`,
    hours: (hours: number, minutes: number): string => `${hours}\u00a0h ${minutes}\u00a0min`,
    gigabytes: (count: string): string => `${count}\u00a0GB`,
    megabytes: (count: number): string => `${count}\u00a0MB`,
    kilobytes: (count: number): string => `${count}\u00a0kB`,
    px: "px",
  },

  connection: {
    noAnswer: "The program does not answer. Is impasto studio still running?",
    lost: "No answer from impasto studio. The page asks again every two seconds.",
    denied:
      "This page has no access. Open the address that `impasto studio` printed when it started.",
    status: (status: number): string => `The server answered with status ${status}.`,
  },

  header: {
    history: "History",
    devices: "Devices",
    help: "Help",
    theme: {
      system: "Light or dark: as the system",
      light: "Light",
      dark: "Dark",
    },
    skip: "Skip to the picture",
  },

  regions: {
    inputs: "Photo and styles",
    canvas: "Picture",
    settings: "Settings",
    strip: "Last pictures",
  },

  close: "Close",
  cancel: "Cancel",
  undo: "Undo",
  dismiss: "Dismiss",

  intake: {
    pasted: "pasted.png",
    drop: "Drop a picture to use it as the photo or as a style",
    dropPhoto: "Drop here for the photo",
    dropStyle: "Drop here for a style",
    uploading: (names: string[]): string => `Reading ${names.join(", ")}…`,
    ask: "What is this picture?",
    askHint: (name: string): string =>
      `${name} can be the photo that is painted, or a painting whose style is taken.`,
    asPhoto: "Use as photo",
    asOnlyStyle: "Use as the style",
    asStyle: "Add as a style",
    recipe: "Made by impasto",
    recipeHint: (name: string): string => `${name} carries the settings that it was made with.`,
    useRecipe: "Use its settings",
    missing: (names: string[]): string =>
      `The settings are filled in. ${names.join(" and ")} ${names.length === 1 ? "is" : "are"} not here. Drop ${names.length === 1 ? "it" : "them"} on the page to use ${names.length === 1 ? "it" : "them"}.`,
    filled: "The settings are filled in.",
  },

  photo: {
    heading: "Photo",
    change: "Change",
    empty: "Drop, paste or choose a photo",
    alt: (name: string): string => `The photo ${name}`,
    example: "example",
  },

  styles: {
    heading: "Styles",
    pick: "Add a style",
    empty: "Drop a painting here, or choose one below",
    gallery: "Gallery",
    use: (title: string, by: string): string => `Use ${title}, ${by}`,
    add: (title: string): string => `Add ${title} as another style`,
    alt: (name: string): string => `The style ${name}`,
    remove: (name: string): string => `Remove ${name}`,
    part: (name: string): string => `Use a part of ${name}`,
    whole: "whole picture",
    cropped: "a part of it",
    weight: (name: string): string => `Weight of ${name}`,
    weightLabel: "Weight",
    share: (percent: number): string => `${percent} %`,
  },

  crop: {
    heading: (name: string): string => `Part of ${name}`,
    hint: "Drag a rectangle on the picture, or type its place in percent.",
    sides: ["Left", "Top", "Width", "Height"],
    all: "Use all of it",
    done: "Use this part",
    rotations: "Rotations",
    rotationsHint:
      "Copies of the picture, turned by equal angles. Strokes then run in more directions.",
    trim: "Frame",
    trimWords: { auto: "leave out a uniform frame", none: "keep it" },
  },

  dial: {
    heading: "Strength",
    photo: "photo",
    painting: "painting",
    number: "Strength, 0 to 100",
    value: (strength: number): string =>
      strength === 0 ? "0, photo" : strength === 100 ? "100, painting" : `${strength} of 100`,
    adjusts: "Also move the running picture",
    adjusting: "Adjusting…",
    byWeight: (weight: number): string =>
      `The content weight ${weight}, under More, takes the place of the strength.`,
    clearWeight: "Use the strength again",
  },

  options: {
    preset: "Preset",
    presets: { draft: "Draft", standard: "Standard", fine: "Fine" },
    presetHelp: {
      draft: "Shows the composition, in a third of the time.",
      standard: "For the screen.",
      fine: "For prints. Goes on until steps change little.",
    },
    size: "Size",
    sizeHint: "longest side",
    original: "Own size",
    upscale: (own: number): string => `The photo has ${own} px. Enlarge it`,
    colors: "Colours",
    colorWords: {
      style: "Painting's colours",
      content: "Photo's colours, on top",
      luminance: "Photo's colours, light and dark only",
      matched: "Painting in the photo's palette",
    },
    styleScale: "Style scale",
    brush: "Brush",
    fine: "fine",
    broad: "broad",
  },

  more: {
    heading: "More",
    changed: (count: number): string => `${plural(count, "change", "changes")}`,
    reset: "Reset all of these",
    standard: (words: string): string => `default: ${words}`,
    standardHelp: (words: string): string => `Default: ${words}.`,
    isStandard: "default",
    badNumber: "This is not a number.",
    groups: [
      {
        title: "Run",
        names: ["steps", "scales", "tolerance", "seed", "optimizer", "adjust", "upscale"],
      },
      {
        title: "Losses",
        names: ["objective", "style-loss", "content-weight", "style-weight", "tv-weight"],
      },
      { title: "Network", names: ["content-layers", "style-layers", "pooling", "padding"] },
    ],
    others: "Others",
    names: {
      steps: "Steps",
      scales: "Scales",
      tolerance: "Tolerance",
      seed: "Seed",
      optimizer: "Optimiser",
      adjust: "Adjustments",
      upscale: "Enlarge small photos",
      objective: "Objective",
      "style-loss": "Style comparison",
      "content-weight": "Content weight",
      "style-weight": "Style weight",
      "tv-weight": "Smoothing",
      "content-layers": "Content layers",
      "style-layers": "Style layers",
      pooling: "Pooling",
      padding: "Padding",
    } as Record<string, string>,
    init: "Start from",
    initWords: { content: "the photo", noise: "white noise", grey: "mid-grey" } as Record<
      string,
      string
    >,
    loading: "Loading the options…",
  },

  make: {
    make: "Make",
    queue: "Add to the queue",
    planning: "Estimating…",
    cost: (size: string, time: string, memory: string, device: string): string =>
      `${size}\u00a0px, about ${time}, ${memory}, ${device}`,
    needsPhoto: "Add a photo first.",
    needsStyle: "Add a style first.",
    pause: "Pause",
    resume: "Resume",
    cancel: "Cancel",
    pausing: "Pausing…",
    cancelling: "Cancelling…",
    smoothing: "Smoothing",
    waiting: (ahead: number): string =>
      ahead === 0 ? "Starts next" : `${plural(ahead, "picture", "pictures")} before it`,
    more: (count: number): string =>
      `${plural(count, "more picture waits", "more pictures wait")} in the queue`,
    show: "Show",
  },

  progress: {
    step: ({ step, steps }: Step): string => `Step ${step} of ${steps}`,
    scale: ({ scale, scales }: Step, size: string): string =>
      `scale ${scale + 1} of ${scales}, ${size} px`,
    left: (time: string): string => `${time} left`,
    preparing: "Preparing…",
    bar: "Progress",
    spoken: (step: Step): string =>
      `Step ${step.step} of ${step.steps}, about ${Math.ceil(step["seconds-left"])} seconds left.`,
  },

  state: {
    queued: "Waiting",
    running: "Running",
    paused: "Paused",
    done: "Done",
    failed: "Failed",
    cancelled: "Cancelled",
    "set-aside": "Set aside",
    spokenEnd: (view: JobView): string =>
      view.state === "done"
        ? `${view.title} is done.`
        : `${view.title}: ${text.state[view.state]}. ${view.error ?? ""}`,
    setAside:
      "The program stopped several times in this picture, so it does not try again by itself.",
  },

  canvas: {
    stage: "Picture. Plus and minus zoom, arrows move, 0 fits, space shows the photo.",
    fit: "Fit",
    full: "100 %",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    zoom: "Zoom",
    holdPhoto: "Photo",
    holdPhotoHint: "Hold to see the photo (space)",
    divider: "Before and after",
    dividerShort: "Before/after",
    dividerValue: (percent: number): string => `Photo up to ${percent} % from the left`,
    region: "Region",
    regionHint: "Region mask: where the first style goes",
    regionNeeds: "Region mask: needs two styles",
    keep: "Keep",
    keepHint: "Keep mask: what stays photo",
    losses: "Losses",
    preview: "preview",
    previewBusy: "preview…",
    photo: "photo",
    live: "live picture",
    result: "result",
    before: "photo",
    after: "painted",
    empty: "Drop a photo here to begin.",
    toPreview: "Show the preview",
    toLive: "Show the live picture",
    alt: { photo: "The photo", picture: "The painted picture" },
    waiting: "The live picture comes after the first steps.",
  },

  losses: {
    step: "step",
    total: "total",
    content: "content",
    style: "style",
    none: "There are no steps yet.",
    summary: (steps: number, from: string, to: string): string =>
      `Losses over ${steps} steps, on a logarithmic scale. The total went from ${from} to ${to}.`,
  },

  masks: {
    file: { region: "region", keep: "keep" },
    heading: { region: "Region mask", keep: "Keep mask" },
    hint: {
      region: "Paint where the first style goes. The second style gets the rest.",
      keep: "Paint what stays as it is in the photo.",
    },
    cursor: "Arrows move the brush, Enter paints.",
    size: "Size",
    softness: "Softness",
    paint: "Paint",
    erase: "Erase",
    invert: "Invert",
    clear: "Clear",
    undo: "Undo",
    redo: "Redo",
    pick: "From a picture",
    done: "Done",
  },

  result: {
    download: "Download",
    formats: [
      { label: "PNG", format: "png", bits: 8 },
      { label: "JPEG", format: "jpg", bits: 8 },
      { label: "TIFF, 16 bit", format: "tif", bits: 16 },
      { label: "PNG, 16 bit", format: "png", bits: 16 },
    ],
    larger: (size: number): string => `Larger, ${size} px`,
    largerDone: (size: number): string =>
      `The settings are filled in at ${size} px. Make starts it.`,
    largerHint: "Fills in the same settings at the next size. Make then says what it takes.",
    variants: "Variants",
    variantsHint: "Nine small pictures around these settings",
    command: "Command",
    commandHint: "Copy as command",
    reuse: "Reuse",
    reuseHint: "Use its settings",
    star: "Favourite",
    info: (size: string, steps: number, time: string): string =>
      `${size}\u00a0px, ${plural(steps, "step", "steps")}, ${time}`,
    adjusted: (count: number): string => `adjusted ${count === 1 ? "once" : `${count} times`}`,
  },

  command: {
    heading: "The same as a command",
    copy: "Copy",
    copied: "Copied",
    byHand: "Select the text and copy it",
    inexact: "The command does not make exactly this picture.",
    label: "Command",
  },

  variants: {
    heading: "Nine variants",
    hint: "Stronger to the right, coarser downwards. Choose one to take its settings.",
    cell: (strength: number, scale: number): string => `Strength ${strength}, scale\u00a0${scale}`,
    back: "Back to the preview",
  },

  pair: {
    heading: "Side by side",
    open: "Open",
  },

  history: {
    heading: "History",
    search: "Search by name",
    favourites: "Favourites only",
    more: "Show more",
    none: "There are no pictures yet. What you make appears here.",
    noneFound: "No picture matches.",
    open: (title: string): string => `Open ${title}`,
    star: (title: string): string => `Favourite: ${title}`,
    remove: (title: string): string => `Delete ${title}`,
    pick: (title: string): string => `Compare ${title}`,
    compare: "Compare two",
    compareHint: (count: number): string =>
      count === 1 ? "Choose one more to compare" : "Choose two to compare",
    deleted: (title: string): string => `${title} was deleted.`,
    strength: (strength: number): string => `strength ${strength}`,
  },

  strip: {
    open: (title: string, state: string): string => `${title}, ${state}`,
    none: "Your pictures appear here.",
    all: "All",
  },

  devices: {
    heading: "Devices",
    program: "Program",
    device: "Pictures are computed",
    threads: "Threads",
    memory: "Free memory",
    workers: "Workers",
    none: "No worker is connected.",
    idle: "idle",
    working: "working",
    seen: (moment: string): string => `seen ${moment}`,
    limits: "Limits",
    limit: (file: string, megapixels: number): string =>
      `files up to ${file}, pictures up to ${megapixels} megapixels`,
  },

  help: {
    heading: "Help",
    dialHeading: "What the dial means",
    dial: [
      "Strength moves the picture from the photo (0) to the painting (100).",
      "At 50, the default, the photo is clear and the strokes are the painting's. At 100 the photo can barely be guessed.",
      "The same number looks the same at every size, so choose it on the preview and then make the picture large.",
    ],
    keysHeading: "Keys",
    keys: [
      ["Space (hold)", "show the photo"],
      ["B", "before and after"],
      ["+  −", "zoom"],
      ["0", "fit"],
      ["1", "100 %"],
      ["Arrows", "move the picture, or the mask brush"],
      ["Enter", "in a mask: paint at the brush"],
      ["[  ]", "smaller or larger brush"],
      ["E  I", "in a mask: erase, invert"],
      ["Ctrl+Z  Ctrl+Shift+Z", "in a mask: undo, redo"],
      ["Ctrl+Enter", "make the picture"],
      ["H  ?", "history, help"],
      ["On the dial", "arrows move it by 1, page keys by 10"],
    ],
    apiHeading: "Programs",
    api: "All that this page does, a program can do over HTTP.",
    apiLink: "Read the API reference",
  },

  docs: {
    title: "API reference",
    back: "Back to the studio",
    spec: "OpenAPI document",
    parameters: "Parameters",
    body: "Request body",
    responses: "Responses",
    example: "Example",
    schemas: "Schemas",
    required: "required",
    standard: (value: string): string => `default ${value}`,
    anything: "any JSON",
    or: "or",
    listOf: "list of",
    limits: {
      between: (least: number, most: number): string => `${least} to ${most}`,
      least: (least: number): string => `at least ${least}`,
      most: (most: number): string => `at most ${most}`,
      above: (limit: number): string => `above ${limit}`,
      characters: (most: number): string => `at most ${most} characters`,
    },
    failed: (words: string): string => `The API description cannot be read. ${words}`,
    loading: "Loading…",
    places: {
      path: "in the path",
      query: "in the query",
      header: "header",
      cookie: "cookie",
    } as Record<string, string>,
    contents: "Contents",
    other: "Others",
  },
};
