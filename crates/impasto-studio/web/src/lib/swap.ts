/** Shows a picture once it is decoded, so that the former one stays until then. */

export class Swap {
  #wanted = "";
  #shown = "";

  constructor(
    private readonly host: HTMLElement,
    private readonly alt: string,
  ) {}

  get isShown(): boolean {
    return this.#shown !== "";
  }

  /** Keeps what is shown. A picture on its way no longer comes. */
  hold(): void {
    this.#wanted = this.#shown;
  }

  /**
   * Shows the picture at an address, or nothing. A newer call overtakes an older one. If the
   * picture is not there, the former one stays, or else `instead` is shown.
   */
  async show(
    url: string | null,
    { loaded = (): void => {}, instead = null as string | null } = {},
  ): Promise<void> {
    const wanted = url ?? "";
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted === "") {
      this.#shown = "";
      this.host.replaceChildren();
      return;
    }
    const image = new Image();
    image.alt = this.alt;
    image.draggable = false;
    image.src = wanted;
    try {
      await image.decode();
    } catch {
      if (this.#wanted !== wanted) return;
      this.#wanted = this.#shown;
      if (!this.isShown && instead) await this.show(instead);
      return;
    }
    if (this.#wanted !== wanted) return;
    this.#shown = wanted;
    this.host.replaceChildren(image);
    loaded();
  }
}
