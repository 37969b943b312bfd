/** Lets text through until one of the stop texts appears; the stop text itself never comes out. */
export class StopFilter {
  readonly #stops: readonly string[];
  readonly #holdBack: number;
  #held = '';
  stopped = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '');
    this.#holdBack = this.#stops.reduce((longest, stop) => Math.max(longest, stop.length - 1), 0);
  }

  /** What may be shown now: everything that cannot be the beginning of a stop text. */
  push(text: string): string {
    if (this.stopped) return '';
    this.#held += text;
    const found = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((place) => place >= 0);
    if (found.length > 0) {
      this.stopped = true;
      return this.#take(Math.min(...found));
    }
    return this.#take(Math.max(0, this.#held.length - this.#holdBack));
  }

  /** What was held back, when no more text comes. */
  end(): string {
    return this.stopped ? '' : this.#take(this.#held.length);
  }

  #take(count: number): string {
    const taken = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return taken;
  }
}
