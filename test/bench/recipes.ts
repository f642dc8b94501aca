import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deviation, digits, ENERGY, mean, measureEffect, type Effect, type Scored } from "./recipesEffect";

/** What the recipes do on the real 8×8 digits, over several seeds. Writes docs/recipes.md. */
const [cli = "", script = "", out = ""] = process.argv.slice(2);
const SEEDS = [0, 1, 2, 3, 4];
const EPOCHS = 40;
const work = mkdtempSync(join(tmpdir(), "ranklens-recipes-"));

const percent = (values: readonly number[]): string => `${mean(values).toFixed(2)} ± ${deviation(values).toFixed(2)}`;
const count = (values: readonly number[]): string => Math.round(mean(values)).toLocaleString("en");

function row(title: string, before: readonly Scored[], after: readonly Scored[]): string {
  const lost = before.map(({ accuracy }, i) => accuracy - after[i]!.accuracy);
  return `| ${title} | ${percent(before.map(({ accuracy }) => accuracy))} | ${percent(after.map(({ accuracy }) => accuracy))} | ${percent(lost)} | ${count(after.map(({ parameters }) => parameters))} |`;
}

function seedRow({ seed, plain, plainAtEnergy, plainAtSize, trained, trainedAtEnergy }: Effect): string {
  const cell = ({ accuracy, parameters }: Scored): string => `${accuracy.toFixed(2)} (${parameters.toLocaleString("en")})`;
  return `| ${seed} | ${[plain, plainAtEnergy, plainAtSize, trained, trainedAtEnergy].map(cell).join(" | ")} |`;
}

async function main(): Promise<void> {
  const effects = await measureEffect(cli, script, work, EPOCHS, SEEDS);
  const others = await digits<Record<string, (Scored & { condition: number })[]>>(script, "others", work, String(EPOCHS), ...SEEDS.map(String));
  const [plain, trained] = [effects.map((effect) => effect.plain), effects.map((effect) => effect.trained)];
  const text = [
    "# Recipes: what training for low rank does", "",
    `Written by \`npm run recipes\`. The real 8×8 digits of scikit-learn, 1,078 images to train and 719 to test (one image is 0.14); a network of three convolutions and two linear layers, ${plain[0]!.parameters.toLocaleString("en")} parameters; SGD with momentum, ${EPOCHS} epochs; mean ± standard deviation over ${SEEDS.length} seeds, which set the first weights and the order of the images. The recipes' settings are their defaults but for TRP's energy, ${ENERGY}.`, "",
    "## Trained Rank Pruning", "",
    `RankLens factorizes the second and third convolution (scheme \`channel\`) and the first linear layer, without data and without training afterwards: at energy ${ENERGY}, and the plain network also to the size that TRP's has then (\`--budget params:…\`).`, "",
    "| trained | accuracy, % | factorized, % | lost | parameters |", "|---|---:|---:|---:|---:|",
    row(`plainly, at energy ${ENERGY}`, plain, effects.map(({ plainAtEnergy }) => plainAtEnergy)),
    row("plainly, cut to TRP's size", plain, effects.map(({ plainAtSize }) => plainAtSize)),
    row(`with TRP, at energy ${ENERGY}`, trained, effects.map(({ trainedAtEnergy }) => trainedAtEnergy)), "",
    "By seed, accuracy in % (parameters):", "",
    "| seed | plain | at the energy | at TRP's size | TRP | at the energy |", "|---|---:|---:|---:|---:|---:|", ...effects.map(seedRow), "",
    "## The other recipes", "",
    "Here the recipe leaves factors itself; the condition number is the largest of a weight or factor, the last layer apart.", "",
    "| recipe | accuracy, % | parameters | condition number |", "|---|---:|---:|---:|",
    ...Object.entries(others).map(([title, runs]) => `| ${title} | ${percent(runs.map(({ accuracy }) => accuracy))} | ${count(runs.map(({ parameters }) => parameters))} | ${count(runs.map(({ condition }) => condition))} |`), "",
    "What each recipe does, its settings and where it differs from its paper stand at the head of its Python module, `src/training/recipes/python`. The networks are small and the task easy: the tables show that the recipes work, not how much they give elsewhere.", "",
  ];
  writeFileSync(out, text.join("\n"));
}

main().finally(() => rmSync(work, { recursive: true, force: true })).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
  process.exitCode = 1;
});
