export { bytesText, countText, durationText, magnitudeText, percentText, rankText } from "../shared/figures";
