/** Sum of the lanes of a register of f32 or f64. */
// @ts-ignore: decorator
@inline
export function sumLanes<T>(x: v128): T {
  if (sizeof<T>() == 8) {
    return <T>(f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1));
  }
  return <T>(f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3)));
}
