import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import type { FileBytes } from "../fileBytes";

/** Bytes that are read ahead: some metadata, and no tensor of more than a small model. */
const WINDOW = 256 * 1024;

/**
 * Reads numbers and texts of a file one after the other, a window at a time; never more than one window, or one text, is in
 * memory, whatever the file claims.
 */
export class SequentialReader {
  private window: DataView = new DataView(new ArrayBuffer(0));
  /** Where the window begins in the file, and where the next read begins in the window. */
  private start = 0;
  private at = 0;
  littleEndian = true;

  constructor(private readonly file: FileBytes) {}

  get position(): number {
    return this.start + this.at;
  }

  get left(): number {
    return this.file.size - this.position;
  }

  /** Makes sure that `bytes` (fewer than a window) can be read without waiting. @throws Fault truncated */
  async need(bytes: number): Promise<void> {
    if (this.at + bytes <= this.window.byteLength) return;
    await this.moveTo(this.position, bytes);
  }

  u8(): number {
    return this.window.getUint8(this.at++);
  }

  u16(): number {
    this.at += 2;
    return this.window.getUint16(this.at - 2, this.littleEndian);
  }

  u32(): number {
    this.at += 4;
    return this.window.getUint32(this.at - 4, this.littleEndian);
  }

  i32(): number {
    return this.u32() | 0;
  }

  f32(): number {
    this.at += 4;
    return this.window.getFloat32(this.at - 4, this.littleEndian);
  }

  f64(): number {
    this.at += 8;
    return this.window.getFloat64(this.at - 8, this.littleEndian);
  }

  /** A 64-bit count or size; Infinity where it is beyond 2⁵³, so that every bound catches it. */
  u64(): number {
    this.at += 8;
    const value = Number(this.window.getBigUint64(this.at - 8, this.littleEndian));
    return Number.isSafeInteger(value) ? value : Infinity;
  }

  /** @param length bytes, of which the caller has checked that there are as many */
  async text(length: number): Promise<string> {
    await this.need(length);
    const bytes = new Uint8Array(this.window.buffer, this.at, length);
    this.at += length;
    return new TextDecoder().decode(bytes);
  }

  /** @throws Fault truncated when the file ends before */
  async skip(bytes: number): Promise<void> {
    if (this.at + bytes <= this.window.byteLength) {
      this.at += bytes;
      return;
    }
    if (bytes > this.left) throw this.truncated();
    await this.moveTo(this.position + bytes, 0);
  }

  truncated(): Fault {
    return new Fault("truncated", `${basename(this.file.path)} ends at byte ${this.file.size}, inside its header.`, "The download is not complete: fetch the file again.");
  }

  private async moveTo(position: number, needed: number): Promise<void> {
    const length = Math.min(Math.max(WINDOW, needed), this.file.size - position);
    if (length < needed) throw this.truncated();
    const bytes = await this.file.read(position, length);
    this.window = new DataView(bytes.buffer);
    this.start = position;
    this.at = 0;
  }
}
