/** A value that components follow, and the base class of the components. */

import { LitElement } from "lit";

export class Store<T extends object> {
  #value: T;
  #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): Readonly<T> {
    return this.#value;
  }

  set(change: Partial<T>): void {
    this.#value = { ...this.#value, ...change };
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls `listener` after each change. Returns the function that stops it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** A component that renders again when one of its stores changes. */
export abstract class StudioElement extends LitElement {
  #stops: (() => void)[] = [];

  /** The stores that the component reads. */
  protected stores(): Store<object>[] {
    return [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stops = this.stores().map((store) => store.subscribe(() => this.requestUpdate()));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }
}

/** Calls `action` once the calls have stopped for `ms`. */
export function debounce(ms: number, action: () => void): () => void {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(action, ms);
  };
}
