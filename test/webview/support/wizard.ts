import type { OpenedPage } from "./browser";
import type { WizardStandIn } from "./wizardStandInApi";

/** Runs in the wizard's page with its stand-in for the editor. */
export async function inWizard<R, A>({ page }: OpenedPage, action: (host: WizardStandIn, argument: A) => R, argument: A): Promise<R> {
  const handle = await page.evaluateHandle<WizardStandIn>("standIn");
  return handle.evaluate(action as never, argument as never);
}
