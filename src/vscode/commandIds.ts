/** Every command that package.json contributes; a test holds both together. */
export const COMMANDS = [
  "ranklens.analyzeRanks",
  "ranklens.cancelAnalysis",
  "ranklens.openReport",
  "ranklens.factorize",
  "ranklens.exportReport",
  "ranklens.forgetResults",
  "ranklens.forgetAllResults",
  "ranklens.refreshModels",
  "ranklens.revealInExplorer",
  "ranklens.copyPath",
  "ranklens.showLog",
  "ranklens.openWalkthrough",
  "ranklens.chooseBaseModel",
  "ranklens.addRecipe",
  "ranklens.openPlanner",
  "ranklens.ranksFromDifference",
] as const;

export type CommandId = (typeof COMMANDS)[number];

/** Identifiers of package.json's other contributions. */
export const REPORT_EDITOR = "ranklens.report";
export const PLANNER_PANEL = "ranklens.planner";
export const MODELS_VIEW = "ranklens.models";
export const WIZARD_VIEW = "ranklens.wizard";
export const WALKTHROUGH = "start";
/** Context key: an analysis is queued or runs. */
export const ANALYZING = "ranklens.analyzing";
/** Context key: paths of the folders that are models. */
export const MODEL_FOLDERS = "ranklens.modelFolders";
