/** 0, 1, 2 … */
export const ramp = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
