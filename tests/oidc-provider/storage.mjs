// Storage for the provider's own adapter that forgets nothing before its time. The one that it comes with keeps the newest
// thousand entries, which a few hundred grants push out: a reused token would then be unknown rather than reused.

const SWEEP_EVERY = 10_000;

export class Storage {
  #entries = new Map();

  #writes = 0;

  get(key) {
    const entry = this.#entries.get(key);
    return entry && Date.now() < entry.until ? entry.value : undefined;
  }

  set(key, value, { maxAge = Infinity } = {}) {
    this.#entries.set(key, { value, until: Date.now() + maxAge });
    this.#writes += 1;
    if (this.#writes % SWEEP_EVERY === 0) this.#sweep();
  }

  delete(key) {
    return this.#entries.delete(key);
  }

  #sweep() {
    const now = Date.now();
    for (const [key, entry] of this.#entries) if (entry.until <= now) this.#entries.delete(key);
  }
}
