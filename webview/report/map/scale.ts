import type { ThemeKind } from "../../components/themeKind";

type Rgb = readonly [number, number, number];

/**
 * Colours of utilization from 0 to 1. Lightness rises (dark themes) or falls (light themes) steadily, so that they
 * keep their order for colour-blind eyes and in grey; the lowest still stands out from the editor's background.
 * What is well used has the most contrast in every theme.
 */
const ON_DARK: readonly Rgb[] = [[0x6a, 0x5d, 0xb5], [0x3f, 0x7f, 0xb5], [0x35, 0xa7, 0x9c], [0x8f, 0xd1, 0x75], [0xfd, 0xe7, 0x4c]];
const ON_LIGHT: readonly Rgb[] = [[0xb0, 0x95, 0x00], [0x64, 0x96, 0x3a], [0x1c, 0x82, 0x78], [0x2a, 0x5f, 0x9e], [0x3a, 0x27, 0x70]];

const STOPS: Readonly<Record<ThemeKind, readonly Rgb[]>> = { dark: ON_DARK, highContrast: ON_DARK, light: ON_LIGHT, highContrastLight: ON_LIGHT };

/** Relative luminance (WCAG 2) at which black and white text have the same contrast. */
const EVEN_LUMINANCE = 0.179;

/** CSS colour of a utilization; out of [0, 1] it is clamped. */
export function utilizationColor(utilization: number, theme: ThemeKind): string {
  return `rgb(${mixed(utilization, theme).map(Math.round).join(", ")})`;
}

/** Black or white, whichever can be read on a utilization's colour. */
export function textOn(utilization: number, theme: ThemeKind): string {
  return luminance(mixed(utilization, theme)) > EVEN_LUMINANCE ? "#000000" : "#ffffff";
}

/** CSS gradient of the whole scale. */
export function scaleGradient(theme: ThemeKind): string {
  return `linear-gradient(to right, ${STOPS[theme].map((stop) => `rgb(${stop.join(", ")})`).join(", ")})`;
}

function mixed(utilization: number, theme: ThemeKind): Rgb {
  const stops = STOPS[theme];
  const at = Math.min(1, Math.max(0, utilization)) * (stops.length - 1);
  const below = Math.min(stops.length - 2, Math.floor(at));
  const [from, to] = [stops[below]!, stops[below + 1]!];
  const mix = (channel: 0 | 1 | 2): number => from[channel] + (to[channel] - from[channel]) * (at - below);
  return [mix(0), mix(1), mix(2)];
}

function luminance(color: Rgb): number {
  const [r, g, b] = color.map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
