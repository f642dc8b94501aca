/** A name that is markup, and that turns the direction of writing around. */
export const MARKUP_NAME = "<img src=x onerror=alert(1)> & \u202Ereversed\u202C";
