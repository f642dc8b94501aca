import { describe, expect, it } from "vitest";
import { addRecipe, withEdits } from "../../../../src/training/recipes/addRecipe";
import type { RecipeId } from "../../../../src/shared/recipe";
import { RECIPES } from "../../../../src/training/recipes/recipe";

/** The script with the recipe added; the reason in brackets where it is not. */
function added(text: string, id: RecipeId = "trained-rank-pruning"): string {
  const addition = addRecipe(text, id);
  if (addition.kind === "insert") return withEdits(text, addition.edits);
  return addition.kind === "paste" ? `[${addition.reason}]` : "[present]";
}

const lines = (...text: string[]): string => `${text.join("\n")}\n`;

const LOOP = lines(
  '"""Trains a network."""',
  "import torch",
  "from torch import nn  # layers",
  "",
  "model = nn.Linear(3, 2)",
  "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
  "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)",
  "for epoch in range(3):",
  "    model.train()",
  "    for x, y in batches:",
  "        optimizer.zero_grad()",
  "        loss(model(x), y).backward()",
  "        optimizer.step()  # one step",
  "        # the end of a batch",
  "",
  "    scheduler.step()",
  "print(model)",
);

describe("a recipe in a plain loop", () => {
  it("is made before the loop, called after each step, and after each epoch", () => {
    expect(added(LOOP)).toBe(lines(
      '"""Trains a network."""',
      "import torch",
      "from torch import nn  # layers",
      "from trained_rank_pruning import TrainedRankPruning",
      "",
      "model = nn.Linear(3, 2)",
      "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
      "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)",
      "pruning = TrainedRankPruning(model, optimizer)",
      "for epoch in range(3):",
      "    model.train()",
      "    for x, y in batches:",
      "        optimizer.zero_grad()",
      "        loss(model(x), y).backward()",
      "        optimizer.step()  # one step",
      "        pruning.step()",
      "        # the end of a batch",
      "    pruning.epoch_end()",
      "",
      "    scheduler.step()",
      "print(model)",
    ));
  });

  it("calls each recipe as that recipe wants it", () => {
    expect(added(LOOP, "cuttlefish")).not.toContain("cuttlefish.step()");
    expect(added(LOOP, "cuttlefish")).toContain("\n    cuttlefish.epoch_end()\n");
    expect(added(LOOP, "orthonormal-penalty")).not.toContain("epoch_end");
    expect(added(LOOP, "low-rank-training")).toContain("dlrt = DynamicalLowRank(model, optimizer)\nfor epoch");
  });

  it.each(RECIPES.map(({ id }) => id))("%s is not added twice", (id) => {
    expect(added(added(LOOP, id), id)).toBe("[present]");
  });

  it("keeps tabs and Windows line breaks", () => {
    const windows = LOOP.replaceAll("    ", "\t").replaceAll("\n", "\r\n");
    const text = added(windows);
    expect(text).toContain("\r\n\t\toptimizer.step()  # one step\r\n\t\tpruning.step()\r\n\t\t# the end of a batch\r\n\tpruning.epoch_end()\r\n");
    expect(text.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
  });

  it("takes another variable where the script has one of that name", () => {
    expect(added(`${LOOP}pruning = 3\n`)).toContain("\npruning_recipe = TrainedRankPruning(model, optimizer)\n");
  });

  it("belongs to the optimizer in a function that trains one epoch", () => {
    const text = added(lines(
      "import torch",
      "def train(args, net, loader, optimizer, epoch):",
      "    net.train()",
      "    for x, y in loader:",
      "        net(x).backward()",
      "        if args.clip:",
      "            optimizer.step()",
      "def main():",
      "    model = Net()",
      "    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)",
      "    for epoch in range(3):",
      "        train(args, model, loader, optimizer, epoch)",
    ));
    expect(text).toContain("    pruning = TrainedRankPruning.of(net, optimizer)\n    for x, y in loader:\n");
    expect(text).toContain("            optimizer.step()\n            pruning.step()\n    pruning.epoch_end()\ndef main():\n");
  });

  it("reads a trainer class of the user's own", () => {
    const text = added(lines(
      "class Trainer:",
      "    def __init__(self, net):",
      "        self.net = net",
      "        self.opt = torch.optim.AdamW(self.net.parameters())",
      "    def epoch(self):",
      "        for batch in self.batches:",
      "            self.opt.zero_grad(); self.loss(batch).backward()",
      "            self.opt.step(); self.scheduler.step()",
    ));
    expect(text).toContain("        pruning = TrainedRankPruning.of(self.net, self.opt)\n        for batch");
    expect(text).toContain("            self.opt.step(); self.scheduler.step()\n            pruning.step()\n        pruning.epoch_end()\n");
    expect(text.startsWith("from trained_rank_pruning import TrainedRankPruning\nclass Trainer:")).toBe(true);
  });

  it("sees a model and an optimizer that functions share", () => {
    const shared = added(lines("net = Net()", "optimizer = Adam(net.parameters())", "def train(epoch):", "    for x in loader:", "        optimizer.step()"));
    expect(shared).toContain("    pruning = TrainedRankPruning.of(net, optimizer)\n");
    const built = added(lines("class Recipe:", "    def setup(self):", "        self._model, self._optimizer = build()", "    def train(self):", "        for x in self.data:", "            self._model(x).backward()", "            self._optimizer.step()"));
    expect(built).toContain("        pruning = TrainedRankPruning.of(self._model, self._optimizer)\n");
  });

  it("gives Cuttlefish no endless loop", () => {
    expect(added(lines("def train(model, optimizer):", "    while True:", "        optimizer.step()"), "cuttlefish")).toMatch(/^\[There is no loop over epochs/);
  });

  it("follows mixed precision, and a step in each branch", () => {
    const text = added(lines(
      "model, optimizer = accelerator.prepare(model, optimizer)",
      "for epoch in range(3):",
      "    for x in loader:",
      "        if amp:",
      "            scaler.step(optimizer)",
      "            scaler.update()",
      "        else:",
      "            optimizer.step()",
    ));
    expect(text).toContain("            scaler.step(optimizer)\n            pruning.step()\n            scaler.update()\n        else:\n            optimizer.step()\n            pruning.step()\n    pruning.epoch_end()\n");
    expect(text).toContain("\npruning = TrainedRankPruning(model, optimizer)\nfor epoch");
  });

  it("ends an epoch inside the loop where each step is one", () => {
    const text = added(lines("opt = SGD(net.parameters())", "for epoch in range(9):", "    loss(net(x), y).backward()", "    opt.step()", "    opt.zero_grad()"), "cuttlefish");
    expect(text).toContain("    opt.zero_grad()\n    cuttlefish.epoch_end()\n");
  });

  it("works where the file ends without a line break, and where it is half-typed", () => {
    expect(added(LOOP.slice(0, LOOP.indexOf("  # one step")))).toContain("        optimizer.step()\n        pruning.step()\n    pruning.epoch_end()");
    expect(added(`${LOOP}model = (`)).toContain("pruning.step()");
    expect(added("")).toMatch(/^\[There is no call/);
  });

  it("is made in each fold where the optimizer is", () => {
    const text = added(lines("for fold in range(5):", "    net = Net()", "    optimizer = Adam(net.parameters())", "    for epoch in range(3):", "        for x in loader:", "            optimizer.step()"));
    expect(text).toContain("    pruning = TrainedRankPruning(net, optimizer)\n    for epoch");
  });
});

describe("a recipe for a Trainer", () => {
  it.each([
    ["import lightning as L", "L.Trainer(max_epochs=3)", "L.Trainer(max_epochs=3, callbacks=[trained_rank_pruning.lightning_callback()])"],
    ["import pytorch_lightning as pl", "pl.Trainer()", "pl.Trainer(callbacks=[trained_rank_pruning.lightning_callback()])"],
    ["from lightning.pytorch import Trainer", "Trainer(callbacks=[])", "Trainer(callbacks=[trained_rank_pruning.lightning_callback()])"],
    ["from lightning.pytorch import Trainer", "Trainer(callbacks=[Stop()], max_epochs=3)", "Trainer(callbacks=[Stop(), trained_rank_pruning.lightning_callback()], max_epochs=3)"],
    ["from transformers import Trainer", "Trainer(model, args=args,)", "Trainer(model, args=args, callbacks=[trained_rank_pruning.trainer_callback()])"],
    ["from trl import (\n    SFTConfig, SFTTrainer as T,\n)", "T(\n    model=model,\n    args=args,\n)", "T(\n    model=model,\n    args=args,\n    callbacks=[trained_rank_pruning.trainer_callback()],\n)"],
    ["from transformers import Trainer\nclass Mine(Trainer):\n    pass", "Mine(\n    model=model,\n    args=args\n)", "Mine(\n    model=model,\n    args=args,\n    callbacks=[trained_rank_pruning.trainer_callback()]\n)"],
    ["from .trainers import OwnTrainer", "OwnTrainer(model, train_dataset=data)", "OwnTrainer(model, train_dataset=data, callbacks=[trained_rank_pruning.trainer_callback()])"],
  ])("%s: %s", (imported, before, after) => {
    const text = added(`${imported}\ntrainer = ${before}\ntrainer.fit(model)\n`);
    expect(text).toContain(`trainer = ${after}\n`);
    expect(text).toContain("\nimport trained_rank_pruning\n");
    expect(added(text)).toBe("[present]");
  });

  it("adds to callbacks that only a run knows, by the Trainer's own method", () => {
    expect(added("from transformers import Trainer\ntrainer = Trainer(model, callbacks=found)\n")).toContain("trainer = Trainer(model, callbacks=found)\ntrainer.add_callback(trained_rank_pruning.trainer_callback())\n");
    expect(added("import lightning as L\nif x:\n    trainer = L.Trainer(**settings)\n")).toContain("    trainer = L.Trainer(**settings)\n    trainer.callbacks.append(trained_rank_pruning.lightning_callback())\n");
    expect(added("import lightning as L\nL.Trainer(**settings).fit(model)\n")).toMatch(/^\[What callbacks/);
  });

  it("knows Trainers whose import stands in another cell of a notebook", () => {
    expect(added("trainer = pl.Trainer()\n")).toBe("import trained_rank_pruning\ntrainer = pl.Trainer(callbacks=[trained_rank_pruning.lightning_callback()])\n");
    expect(added("trainer = Trainer(model=model, train_dataset=data)\n")).toContain("trainer_callback()");
  });

  it("takes the Trainer that trains", () => {
    const text = added("import lightning as L\ntester = L.Trainer(devices=1)\ntrainer = L.Trainer(devices=2)\ntrainer.fit(model)\n");
    expect(text).toContain("tester = L.Trainer(devices=1)\ntrainer = L.Trainer(devices=2, callbacks=[");
  });
});

describe("a script with no place for a recipe", () => {
  it.each([
    ["a scheduler alone", "scheduler.step()", "There is no call of an optimizer's step"],
    ["two optimizers", "for x in y:\n    opt_g.step()\n    opt_d.step()\n", "There is more than one optimizer"],
    ["no loop", "model = Net()\noptimizer = SGD(model.parameters())\noptimizer.step()\n", "The loop over the batches"],
    ["a loop on one line", "model = Net()\noptimizer = SGD(model.parameters())\nfor x in y: optimizer.step()\n", "The optimizer's step shares its line"],
    ["no model to be seen", "for x in y:\n    optimizer.step()\n", "Which variable holds the model"],
  ])("%s: says why and gives what to paste", (_, text, reason) => {
    const addition = addRecipe(text, "trained-rank-pruning");
    expect(addition).toMatchObject({ kind: "paste", file: { name: "trained_rank_pruning.py" } });
    if (addition.kind !== "paste") return;
    expect(addition.reason).toContain(reason);
    expect(addition.snippet).toBe(lines("from trained_rank_pruning import TrainedRankPruning", "", "pruning = TrainedRankPruning(model, optimizer)  # before the loop over epochs", "pruning.step()  # after each optimizer.step()", "pruning.epoch_end()  # after each epoch"));
  });

  it("gives Cuttlefish no loop that has no epochs", () => {
    const text = "model = Net()\noptimizer = SGD(model.parameters())\nwhile step < most:\n    optimizer.step()\n";
    expect(added(text, "cuttlefish")).toMatch(/^\[There is no loop over epochs/);
    expect(added(text)).toContain("    optimizer.step()\n    pruning.step()\npruning.epoch_end()\n");
  });
});
