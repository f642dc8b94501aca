import type { Inputs, Scheme, SchemeId, SchemeWish } from "./scheme";
import { channelGroups } from "./schemes/channelGroups";
import { channelScheme } from "./schemes/channel";
import { cpScheme } from "./schemes/cp";
import { depthwiseScheme } from "./schemes/depthwise";
import { spatialScheme } from "./schemes/spatial";
import { svdScheme } from "./schemes/svd";
import { tucker2Scheme } from "./schemes/tucker2";
import type { Target } from "./target";

/** All schemes. A new one is a file beside these and a line here. */
export const SCHEMES: Readonly<Record<SchemeId, Scheme>> = {
  svd: svdScheme, channel: channelScheme, spatial: spatialScheme, tucker2: tucker2Scheme, depthwise: depthwiseScheme,
  groups2: channelGroups("groups2", 2), groups4: channelGroups("groups4", 4), groups8: channelGroups("groups8", 8), cp: cpScheme,
};

/**
 * Those that `auto` chooses among. Not among them: layers of many groups, which run slower than their multiply-adds say,
 * and cp, which takes seconds for a layer where the others take milliseconds.
 */
export const PLAIN_SCHEMES: readonly SchemeId[] = ["svd", "channel", "spatial", "tucker2"];

/** What wishes for several schemes stand for. */
const SEVERAL: Readonly<Record<Exclude<SchemeWish, SchemeId>, readonly SchemeId[]>> = {
  auto: PLAIN_SCHEMES,
  alds: ["svd", "channel", "groups2", "groups4", "groups8"],
};

/** The scheme whose factors can follow calibration data, with what its matrices are applied to; null for a layer whose rows are looked up. */
export function calibratedScheme(target: Target): { readonly scheme: Scheme; readonly inputs: Inputs } | null {
  if (target.form.op === "embedding") return null;
  const scheme = [svdScheme, channelScheme].find((each) => each.refusal(target) === null);
  return scheme?.inputs === undefined ? null : { scheme, inputs: scheme.inputs(target) };
}

/** All that a wish may choose among: a layer that none of those named fits has svd. */
export function schemesOf(asked: SchemeWish): readonly SchemeId[] {
  return [...new Set<SchemeId>([...namedBy(asked), "svd"])];
}

function namedBy(asked: SchemeWish): readonly SchemeId[] {
  return asked === "auto" || asked === "alds" ? SEVERAL[asked] : [asked];
}

/** The schemes that fit a layer, of those asked for. */
export function schemesFor(target: Target, asked: SchemeWish): readonly Scheme[] {
  const fitting = (wanted: readonly SchemeId[]): Scheme[] => wanted.map((id) => SCHEMES[id]).filter((scheme) => scheme.refusal(target) === null);
  const named = fitting(namedBy(asked));
  // A matrix always has svd: asking for a convolution's scheme says nothing about it.
  return named.length > 0 ? named : fitting(["svd"]);
}
