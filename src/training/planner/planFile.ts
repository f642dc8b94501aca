import type { ConfigText } from "../../shared/configReading";
import type { ConfigPlan, PlanQuery } from "../../shared/plannerPage";
import type { BaseModels } from "../base/baseModels";
import { readConfigs } from "../ecosystems/ecosystems";
import { baseOf } from "../training";
import { planConfig } from "./planConfig";

/** A plan for one config of a text. @throws Fault of `planConfig` */
export async function planFile(source: ConfigText, query: PlanQuery, bases: BaseModels): Promise<ConfigPlan> {
  const configs = readConfigs(source.text, source.language, source.fileName);
  const config = configs[query.config ?? 0] ?? configs[0];
  return planConfig(configs, config === undefined ? { state: "absent", text: "", id: false, looked: [] } : await baseOf(config, source, bases), query);
}
