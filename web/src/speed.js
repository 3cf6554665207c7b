// How fast something goes: over the last seconds, so that a pause does not spoil the figure for long.

const WINDOW_MS = 8000;

export class Speed {
  constructor() {
    this.samples = [];
  }

  // Tell that `total` bytes were through at a time in milliseconds. Going back, as after a retry, starts anew.
  add(total, at) {
    if (this.samples.length && total < this.samples.at(-1).total) this.samples = [];
    this.samples.push({ total, at });
    while (this.samples.length > 2 && at - this.samples[0].at > WINDOW_MS) this.samples.shift();
  }

  // Bytes per second, 0 when nothing moves.
  perSecond() {
    if (this.samples.length < 2) return 0;
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    return last.at > first.at ? ((last.total - first.total) * 1000) / (last.at - first.at) : 0;
  }

  secondsLeft(total) {
    const speed = this.perSecond();
    return speed > 0 ? Math.max(0, total - (this.samples.at(-1)?.total ?? 0)) / speed : Infinity;
  }
}
