/** Exit codes that other programs rely on. 3 is for findings of `check`. */
export const EXIT = { done: 0, fault: 1, usage: 2, interrupted: 130 } as const;
