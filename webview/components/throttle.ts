/** Runs at once, then at most once per interval; the last call of a burst is never lost. */
export class Throttle {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private again = false;

  /** @param intervalMs shortest time between two runs */
  constructor(private readonly run: () => void, private readonly intervalMs: number) {}

  call(): void {
    if (this.timer !== null) {
      this.again = true;
      return;
    }
    this.run();
    this.timer = setTimeout(() => {
      this.timer = null;
      if (!this.again) return;
      this.again = false;
      this.call();
    }, this.intervalMs);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.again = false;
  }
}
