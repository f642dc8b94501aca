/** Float32 storage that stays from matrix to matrix: fresh memory of this size costs more than its use. */
export class FloatArena {
  private buffer = new Float32Array(0);
  private used = 0;

  /** Takes back all that was handed out, and makes room for so many values. */
  reset(length: number): void {
    if (this.buffer.length < length) this.buffer = new Float32Array(length);
    this.used = 0;
  }

  /** Of any content; fresh memory where there is no room. */
  take(length: number): Float32Array {
    if (this.used + length > this.buffer.length) return new Float32Array(length);
    this.used += length;
    return this.buffer.subarray(this.used - length, this.used);
  }
}
