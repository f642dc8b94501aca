/** Words of the components that every page uses. */
export const WORDS = {
  retry: "Try again",
  showLog: "Show log",
  dismiss: "Dismiss",
};
