/** Figures as people read them; the same in every locale, so that two reports can be compared. */

/** A rank: an integer as it is, a real number with about three digits. */
export function rankText(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}

/** A figure that is not exact must not look like one that is. */
export function estimateText(rank: number): string {
  return `≈ ${rankText(rank)}`;
}

/** A fraction as a percentage without decimals. */
export function percentText(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}

/** "1.3e+2": three digits of a number of any size; ∞ for null. */
export function magnitudeText(value: number | null): string {
  return value === null || value === Infinity ? "∞" : value !== 0 && (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3) ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}

/** A fraction in percent without the sign. Shares of a millionth are usual: two digits that count. */
export function fineShareText(share: number): string {
  const percent = 100 * share;
  if (percent === 0) return "0";
  if (percent >= 99.95) return "100";
  return percent >= 10 ? percent.toFixed(1) : percent >= 0.01 ? percent.toFixed(2) : String(Number(percent.toPrecision(2)));
}

/** "656 thousand" is too long for a table: 656 k, 7.2 M, 70 G. */
export function countText(count: number): string {
  return scaled(count, 1000, ["", " k", " M", " G", " T"]);
}

export function bytesText(bytes: number): string {
  return scaled(bytes, 1024, [" bytes", " KiB", " MiB", " GiB", " TiB"]);
}

/** Three digits: times of one program differ by more. */
export function millisecondsText(ms: number): string {
  return ms < 1000 ? `${Number(ms.toPrecision(3))} ms` : durationText(ms);
}

/** Medians of one model differ by so much from one time to the next: nothing closer is called faster or slower. */
export const SAME_SPEED = 1.05;

/** "0.4 s", "12 s", "3 min 20 s", "2 h 5 min". */
export function durationText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

function scaled(value: number, base: number, units: readonly string[]): string {
  const power = value < base ? 0 : Math.min(units.length - 1, Math.floor(Math.log(value) / Math.log(base)));
  const figure = value / base ** power;
  return `${power === 0 || figure >= 100 ? Math.round(figure) : figure.toFixed(1)}${units[power]}`;
}
