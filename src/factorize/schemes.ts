import type { Scheme, SchemeId } from "./scheme";
import { channelScheme } from "./schemes/channel";
import { spatialScheme } from "./schemes/spatial";
import { svdScheme } from "./schemes/svd";
import { tucker2Scheme } from "./schemes/tucker2";
import type { Target } from "./target";

/** All schemes. A new one is a file beside these and a line here. */
export const SCHEMES: Readonly<Record<SchemeId, Scheme>> = { svd: svdScheme, channel: channelScheme, spatial: spatialScheme, tucker2: tucker2Scheme };

/** The schemes that fit a layer, of those asked for; `auto` asks for all. */
export function schemesFor(target: Target, asked: SchemeId | "auto"): readonly Scheme[] {
  const fitting = Object.values(SCHEMES).filter((scheme) => scheme.refusal(target) === null);
  if (asked === "auto") return fitting;
  // A matrix has one scheme: asking for a convolution's says nothing about it.
  const named = fitting.filter(({ id }) => id === asked || id === "svd");
  return named;
}
