/** Exit codes that other programs rely on. */
export const EXIT = { done: 0, fault: 1, usage: 2, findings: 3, interrupted: 130 } as const;
