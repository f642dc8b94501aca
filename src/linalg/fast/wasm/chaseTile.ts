/**
 * The chase's right-side reflectors, joined to dense orthogonal matrices that products can apply. Reflectors of
 * neighbouring sweeps at one step act on windows that move on by one column each: all of a parallelogram of sweeps and
 * steps act on a window of twice its side (Haidar, Luszczek & Dongarra 2014 apply such in WY form; a dense matrix costs as
 * much, in one product in place of two).
 */

/** Elements of one reflector, and its bytes. */
const WIDTH = 32;
const BYTES: usize = 128;
/** Row stride of a tile in bytes: four reflectors' widths. */
const ROW: usize = 4 * BYTES;
/** Bytes of a reflector with a zero before or after it, padded. */
const PADDED: usize = BYTES + 16;
/** Columns that are taken at a time, in bytes: two sums for each stay in eight registers. */
const CHUNK: usize = 64;

/**
 * Writes the product of the reflectors of 2B sweeps at two steps, 4B × 4B row-major, to `tile`. Its row and column 0
 * belong to column sweep + 1 + step · B of the band; the last is that of the identity.
 * @param kept what the chase kept (keptReflector), in float32
 * @param blocks order of the band / B
 * @param sweep first of the sweeps, a multiple of 2B
 * @param scratch five reflectors
 */
export function chaseTile(kept: usize, blocks: i32, sweep: i32, step: i32, tile: usize, scratch: usize): void {
  memory.fill(tile, 0, ROW * <usize>(4 * WIDTH));
  for (let i = 0; i < 4 * WIDTH; i++) store<f32>(tile + <usize>i * (ROW + 4), 1);
  const block = sweep / WIDTH;
  // What acts last comes first in the product; of a tile at the edge some are not there.
  for (let j = 0; j < 2; j++) {
    for (let i = 1; i >= 0; i--) {
      const own = block + i;
      if (own >= blocks || step + j >= blocks - own) continue;
      const reflectors = kept + <usize>((own * blocks - (own * (own - 1)) / 2 + step + j) * WIDTH) * BYTES;
      const rows = tile + <usize>((i + j) * WIDTH) * ROW;
      // Of the rows of sweep s, columns before s are zero.
      for (let s = WIDTH - 2; s >= 0; s -= 2) {
        const from = (<usize>(i * WIDTH + s) << 2) & ~(CHUNK - 1);
        reflectByPair(reflectors + <usize>s * BYTES, rows + <usize>s * ROW, from, <usize>(3 + j) * BYTES, scratch);
      }
    }
  }
}

/**
 * H₀H₁ times B + 1 rows, columns from … to in bytes: H₀ acts on all rows but the last, H₁ on all but the first. Together they
 * read and write every entry once.
 */
function reflectByPair(reflectors: usize, rows: usize, from: usize, to: usize, scratch: usize): void {
  const v0 = scratch;
  const w0 = v0 + PADDED;
  const v1 = w0 + PADDED;
  const w1 = v1 + PADDED;
  weighted(reflectors, v0, w0, 0);
  weighted(reflectors + BYTES, v1, w1, 4);
  // H₀H₁ = I − w₁v₁ᵀ − w₀(v₀ − (v₀ᵀw₁)v₁)ᵀ
  let s = f32x4.splat(0);
  for (let o: usize = 0; o < PADDED; o += 16) s = f32x4.add(s, f32x4.mul(v128.load(v0 + o), v128.load(w1 + o)));
  const angle = v128.splat<f32>(f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3)));
  for (let o: usize = 0; o < PADDED; o += 16) v128.store(v0 + o, f32x4.sub(v128.load(v0 + o), f32x4.mul(angle, v128.load(v1 + o))));
  for (let o = from; o < to; o += CHUNK) reflectChunk(rows + o, v0, w0, v1, w1);
}

/** A kept reflector with its unit entry and zeros around it, at an offset in bytes, and the same times τ. */
// @ts-ignore: decorator
@inline
function weighted(reflector: usize, v: usize, w: usize, offset: usize): void {
  memory.fill(v, 0, PADDED);
  memory.copy(v + offset, reflector, BYTES);
  store<f32>(v + offset, 1);
  const tau = v128.load32_splat(reflector);
  for (let o: usize = 0; o < PADDED; o += 16) v128.store(w + o, f32x4.mul(tau, v128.load(v + o)));
}

/** block ← (I − w₀v₀ᵀ − w₁v₁ᵀ) block, B + 1 rows of one chunk. */
function reflectChunk(block: usize, v0: usize, w0: usize, v1: usize, w1: usize): void {
  const zero = f32x4.splat(0);
  let s0 = zero;
  let s1 = zero;
  let s2 = zero;
  let s3 = zero;
  let t0 = zero;
  let t1 = zero;
  let t2 = zero;
  let t3 = zero;
  let p = block;
  for (let o: usize = 0; o < BYTES + 4; o += 4, p += ROW) {
    const x = v128.load32_splat(v0 + o);
    const y = v128.load32_splat(v1 + o);
    const a0 = v128.load(p);
    const a1 = v128.load(p, 16);
    const a2 = v128.load(p, 32);
    const a3 = v128.load(p, 48);
    s0 = f32x4.add(s0, f32x4.mul(x, a0));
    s1 = f32x4.add(s1, f32x4.mul(x, a1));
    s2 = f32x4.add(s2, f32x4.mul(x, a2));
    s3 = f32x4.add(s3, f32x4.mul(x, a3));
    t0 = f32x4.add(t0, f32x4.mul(y, a0));
    t1 = f32x4.add(t1, f32x4.mul(y, a1));
    t2 = f32x4.add(t2, f32x4.mul(y, a2));
    t3 = f32x4.add(t3, f32x4.mul(y, a3));
  }
  p = block;
  for (let o: usize = 0; o < BYTES + 4; o += 4, p += ROW) {
    const x = v128.load32_splat(w0 + o);
    const y = v128.load32_splat(w1 + o);
    v128.store(p, f32x4.sub(v128.load(p), f32x4.add(f32x4.mul(x, s0), f32x4.mul(y, t0))));
    v128.store(p, f32x4.sub(v128.load(p, 16), f32x4.add(f32x4.mul(x, s1), f32x4.mul(y, t1))), 16);
    v128.store(p, f32x4.sub(v128.load(p, 32), f32x4.add(f32x4.mul(x, s2), f32x4.mul(y, t2))), 32);
    v128.store(p, f32x4.sub(v128.load(p, 48), f32x4.add(f32x4.mul(x, s3), f32x4.mul(y, t3))), 48);
  }
}
