/**
 * The chase's right-side reflectors, joined to dense orthogonal matrices that products can apply. Reflectors of
 * neighbouring sweeps at one step act on windows that move on by one column each: all of a parallelogram of sweeps and
 * steps act on a window of twice its side (Haidar, Luszczek & Dongarra 2014 apply such in WY form; a dense matrix costs as
 * much, in one product in place of two).
 */

/** Bytes of one reflector, B elements. */
const BYTES: usize = 128;
/** Row stride of a tile in bytes: 4B elements. */
const ROW: usize = 4 * BYTES;

/**
 * Writes the product of the reflectors of 2B sweeps at two steps, 4B × 4B row-major, to `tile`. Its row and column 0
 * belong to column sweep + 1 + step · B of the band; the last is that of the identity.
 * @param kept what the chase kept (keptReflector)
 * @param blocks order of the band / B
 * @param sweep first of the sweeps, a multiple of 2B
 * @param scratch two reflectors
 */
export function chaseTile<T>(kept: usize, blocks: i32, sweep: i32, step: i32, tile: usize, scratch: usize): void {
  const width = <i32>(BYTES / sizeof<T>());
  memory.fill(tile, 0, ROW * <usize>(4 * width));
  for (let i = 0; i < 4 * width; i++) store<T>(tile + <usize>i * (ROW + sizeof<T>()), <T>1);
  const block = sweep / width;
  // What acts last comes first in the product; of a tile at the edge some are not there.
  for (let j = 0; j < 2; j++) {
    for (let i = 1; i >= 0; i--) {
      const own = block + i;
      if (own >= blocks || step + j >= blocks - own) continue;
      const reflectors = kept + <usize>((own * blocks - (own * (own - 1)) / 2 + step + j) * width) * BYTES;
      reflectByBlock<T>(reflectors, width, tile + <usize>((i + j) * width) * ROW, <usize>i * BYTES, <usize>(3 + j) * BYTES, scratch);
    }
  }
}

/** H₀ H₁ … times 2B − 1 rows at `rows`, of the columns from … to (in bytes) alone: the others are zero there. */
function reflectByBlock<T>(reflectors: usize, width: i32, rows: usize, from: usize, to: usize, scratch: usize): void {
  const weighted = scratch + BYTES;
  for (let i = width - 1; i >= 0; i--) {
    const v = reflectors + <usize>i * BYTES;
    const tau = load<T>(v);
    if (tau == <T>0) continue;
    const factor = v128.splat<T>(tau);
    memory.copy(scratch, v, BYTES);
    store<T>(scratch, <T>1);
    for (let o: usize = 0; o < BYTES; o += 16) v128.store(weighted + o, v128.mul<T>(factor, v128.load(scratch + o)));
    const top = rows + <usize>i * ROW;
    for (let o = from; o < to; o += BYTES) reflectColumns<T>(top + o, scratch, weighted);
  }
}

/** block ← (I − w vᵀ) block, for B rows and columns: the sums of the columns stay in eight registers. */
function reflectColumns<T>(block: usize, v: usize, w: usize): void {
  const zero = v128.splat<T>(<T>0);
  let s0 = zero;
  let s1 = zero;
  let s2 = zero;
  let s3 = zero;
  let s4 = zero;
  let s5 = zero;
  let s6 = zero;
  let s7 = zero;
  const end = v + BYTES;
  let p = block;
  for (let q = v; q < end; q += sizeof<T>(), p += ROW) {
    const x = v128.splat<T>(load<T>(q));
    s0 = v128.add<T>(s0, v128.mul<T>(x, v128.load(p)));
    s1 = v128.add<T>(s1, v128.mul<T>(x, v128.load(p, 16)));
    s2 = v128.add<T>(s2, v128.mul<T>(x, v128.load(p, 32)));
    s3 = v128.add<T>(s3, v128.mul<T>(x, v128.load(p, 48)));
    s4 = v128.add<T>(s4, v128.mul<T>(x, v128.load(p, 64)));
    s5 = v128.add<T>(s5, v128.mul<T>(x, v128.load(p, 80)));
    s6 = v128.add<T>(s6, v128.mul<T>(x, v128.load(p, 96)));
    s7 = v128.add<T>(s7, v128.mul<T>(x, v128.load(p, 112)));
  }
  const stop = w + BYTES;
  p = block;
  for (let q = w; q < stop; q += sizeof<T>(), p += ROW) {
    const x = v128.splat<T>(load<T>(q));
    v128.store(p, v128.sub<T>(v128.load(p), v128.mul<T>(x, s0)));
    v128.store(p, v128.sub<T>(v128.load(p, 16), v128.mul<T>(x, s1)), 16);
    v128.store(p, v128.sub<T>(v128.load(p, 32), v128.mul<T>(x, s2)), 32);
    v128.store(p, v128.sub<T>(v128.load(p, 48), v128.mul<T>(x, s3)), 48);
    v128.store(p, v128.sub<T>(v128.load(p, 64), v128.mul<T>(x, s4)), 64);
    v128.store(p, v128.sub<T>(v128.load(p, 80), v128.mul<T>(x, s5)), 80);
    v128.store(p, v128.sub<T>(v128.load(p, 96), v128.mul<T>(x, s6)), 96);
    v128.store(p, v128.sub<T>(v128.load(p, 112), v128.mul<T>(x, s7)), 112);
  }
}
