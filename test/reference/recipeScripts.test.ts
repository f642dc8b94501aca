import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RecipeId, TrainingStyle } from "../../src/shared/recipe";
import { addRecipe, withEdits } from "../../src/training/recipes/addRecipe";
import { RECIPES } from "../../src/training/recipes/recipe";
import { folder } from "../unit/support/folders";

/**
 * Scripts with a recipe added run in PyTorch. Lightning and transformers are stood in for by packages of their names
 * whose Trainer calls the hooks in the order of theirs (pytorch-lightning 2.6, transformers 4.57).
 */
const COMMON = `
import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
images = torch.randn(64, 1, 6, 6)
labels = torch.randint(3, (64,))
model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.Flatten(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 3))


def loss_of(batch):
    return nn.functional.cross_entropy(model(images[batch]), labels[batch])
`;

const SCRIPTS: Record<TrainingStyle | "function", string> = {
  loop: `${COMMON}
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(20):
    for batch in torch.randperm(64).split(16):
        optimizer.zero_grad()
        loss_of(batch).backward()
        optimizer.step()
`,
  function: `${COMMON}

def train_epoch(model, optimizer):
    for batch in torch.randperm(64).split(16):
        optimizer.zero_grad()
        loss_of(batch).backward()
        optimizer.step()


def main():
    sgd = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(20):
        train_epoch(model, sgd)


main()
`,
  lightning: `${COMMON}
import lightning as L
trainer = L.Trainer(max_epochs=20)
trainer.fit(model, torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9), loss_of)
`,
  huggingface: `${COMMON}
from transformers import Trainer

trainer = Trainer(
    model=model,
    optimizers=(torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9), None),
    compute_loss=loss_of,
)
trainer.train()
`,
};

const STAND_INS: Record<string, string> = {
  "lightning/__init__.py": "from lightning.pytorch import Callback, Trainer\n",
  "lightning/pytorch.py": `
import torch


class Callback:
    def on_train_start(self, trainer, pl_module): pass
    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx): pass
    def on_validation_start(self, trainer, pl_module): pass
    def on_train_epoch_end(self, trainer, pl_module): pass
    def on_train_end(self, trainer, pl_module): pass


class Trainer:
    def __init__(self, max_epochs, callbacks=None):
        assert all(isinstance(callback, Callback) for callback in callbacks)
        self.max_epochs, self.callbacks, self.global_step = max_epochs, callbacks, 0

    def call(self, hook, *args):
        for callback in self.callbacks:
            getattr(callback, hook)(self, self.module, *args)

    def fit(self, module, optimizer, loss_of):
        self.module = module
        self.call("on_validation_start")
        self.optimizers = [optimizer]
        self.call("on_train_start")
        for _ in range(self.max_epochs):
            for index, batch in enumerate(torch.randperm(64).split(16)):
                optimizer.zero_grad()
                loss_of(batch).backward()
                optimizer.step()
                self.global_step += 1
                self.call("on_train_batch_end", None, batch, index)
            self.call("on_validation_start")
            self.call("on_train_epoch_end")
        self.call("on_train_end")
`,
  "transformers.py": `
import torch


class TrainerCallback:
    def on_train_begin(self, args, state, control, **kwargs): pass
    def on_step_end(self, args, state, control, **kwargs): pass
    def on_epoch_end(self, args, state, control, **kwargs): pass
    def on_train_end(self, args, state, control, **kwargs): pass


class Trainer:
    def __init__(self, model, optimizers, compute_loss, callbacks=None):
        assert all(isinstance(callback, TrainerCallback) for callback in callbacks)
        self.model, self.optimizer, self.compute_loss, self.callbacks = model, optimizers[0], compute_loss, callbacks

    def call(self, event):
        for callback in self.callbacks:
            getattr(callback, event)(None, None, None, model=self.model, optimizer=self.optimizer, lr_scheduler=None)

    def train(self):
        self.call("on_train_begin")
        for _ in range(20):
            for batch in torch.randperm(64).split(16):
                self.compute_loss(batch).backward()
                self.optimizer.step()
                self.model.zero_grad()
                self.call("on_step_end")
            self.call("on_epoch_end")
        self.call("on_train_end")
`,
};

/**
 * What the recipe leaves behind, as the script's last line prints it. Without it the last hidden layer is of full rank 16
 * with a condition number above 9, and Cuttlefish, whose layers need 16 epochs at least, would have measured none.
 */
const PROOF: Record<RecipeId, string> = {
  "trained-rank-pruning": "print(int(torch.linalg.matrix_rank(model[4].weight)) < 16)",
  cuttlefish: "import gc\nprint([len(s) >= 16 for o in gc.get_objects() if type(o).__name__ == 'Cuttlefish' for s in o.series.values()] == [True, True])",
  "low-rank-training": "print(type(model[4]).__name__ == 'LowRankLayer' and model[4].rank <= 8)",
  "orthonormal-penalty": "s = torch.linalg.svdvals(model[4].weight)\nprint(bool(s[0] / s[-1] < 7))",
};

describe.each(Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[])("a script that trains by %s", (style) => {
  it.each(RECIPES)("runs with $title", ({ id }) => {
    const script = SCRIPTS[style];
    const addition = addRecipe(script, id);
    if (addition.kind !== "insert") throw new Error(JSON.stringify(addition));
    const at = folder();
    mkdirSync(join(at, "lightning"));
    for (const [name, text] of Object.entries(STAND_INS)) writeFileSync(join(at, name), text);
    writeFileSync(join(at, addition.file.name), addition.file.text);
    writeFileSync(join(at, "train.py"), `${withEdits(script, addition.edits)}${PROOF[id]}\n`);
    expect(execFileSync("/usr/bin/python3", [join(at, "train.py")], { encoding: "utf8" })).toBe("True\n");
  });
});
