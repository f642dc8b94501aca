/**
 * The part of the loader that runs recurrent layers. torch.nn keeps all weights of an LSTM in one module that takes each of them
 * whole: its layers and directions are run one by one, so that each weight may be a product.
 */
export const RECURRENT_MODULES = `class FactorizedRecurrent(nn.Module):
    """An LSTM, GRU or RNN of torch.nn, or a cell of one, some weights of which are products.

    Parameters keep their names: \`weight_ih_l0\` stands for weight_ih_l0 @ weight_ih_l0_first.weight where that is there.
    Factors of input weights stand in front of a layer of torch.nn; with factors of state weights (weight_hh), which no
    layer of torch.nn has, the steps of a sequence are run one by one in Python.
    """

    def __init__(self, original, factors):
        super().__init__()
        self.mode = next(mode for mode in ("LSTM", "GRU", "RNN") if isinstance(original, (getattr(nn, mode), getattr(nn, mode + "Cell"))))
        self.is_cell = isinstance(original, nn.RNNCellBase)
        self.activation = getattr(original, "nonlinearity", "tanh")
        for option, default in {"batch_first": False, "bidirectional": False, "num_layers": 1, "dropout": 0.0, "proj_size": 0}.items():
            setattr(self, option, getattr(original, option, default))
        self.hidden_size, self.has_bias = original.hidden_size, original.bias
        for name, parameter in original.named_parameters():
            steps = factors.get(name)
            self.register_parameter(name, parameter if steps is None else nn.Parameter(parameter.new_empty(steps[1]["shape"])))
            if steps is not None:
                rows, columns = steps[0]["shape"]
                setattr(self, name + "_first", nn.Linear(columns, rows, bias=False, device=parameter.device, dtype=parameter.dtype))
        suffixes = [f"_l{layer}{end}" for layer in range(self.num_layers) for end in (["", "_reverse"] if self.bidirectional else [""])]
        # A plain dict: the parameters that these layers run with are this module's own.
        self.runs = {} if self.is_cell else {suffix: self.run_of(suffix) for suffix in suffixes if f"weight_hh{suffix}" not in factors}
        self.train(original.training)

    def run_of(self, suffix):
        """A layer of one direction in torch.nn, with the parameters of this one."""
        width = getattr(self, "weight_ih" + suffix).shape[1]
        options = {"proj_size": self.proj_size} if self.mode == "LSTM" else {"nonlinearity": self.activation} if self.mode == "RNN" else {}
        run = getattr(nn, self.mode)(width, self.hidden_size, bias=self.has_bias, **options)
        for name in [name for name, _ in run.named_parameters()]:
            setattr(run, name, getattr(self, name[:-len("_l0")] + suffix))
        return run

    def product(self, values, weight, bias=None):
        first = getattr(self, weight + "_first", None)
        return nn.functional.linear(values if first is None else first(values), getattr(self, weight), bias)

    def step(self, inputs, state, suffix):
        """One step: \`inputs\` are multiplied already, \`state\` is (h, c) or (h,)."""
        h = state[0]
        own = self.product(h, "weight_hh" + suffix, getattr(self, "bias_hh" + suffix, None))
        if self.mode == "LSTM":
            i, f, g, o = (inputs + own).chunk(4, -1)
            c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            return (self.product(h, "weight_hr" + suffix) if self.proj_size > 0 else h), c
        if self.mode == "GRU":
            (r, z, n), (own_r, own_z, own_n) = inputs.chunk(3, -1), own.chunk(3, -1)
            r, z = torch.sigmoid(r + own_r), torch.sigmoid(z + own_z)
            return ((1 - z) * torch.tanh(n + r * own_n) + z * h,)
        return ((torch.relu if self.activation == "relu" else torch.tanh)(inputs + own),)

    def gates_of(self, inputs, suffix):
        return self.product(inputs, "weight_ih" + suffix, getattr(self, "bias_ih" + suffix, None))

    def direction(self, inputs, lengths, state, suffix):
        """One direction of one layer on (steps, batch, features); what follows the end of a sequence means nothing."""
        if suffix in self.runs:
            first = getattr(self, f"weight_ih{suffix}_first", None)
            values = inputs if first is None else first(inputs)
            values = values if lengths is None else pack_padded_sequence(values, lengths, enforce_sorted=False)
            states = tuple(part[None] for part in state)
            outputs, states = self.runs[suffix](values, states if self.mode == "LSTM" else states[0])
            outputs = outputs if lengths is None else pad_packed_sequence(outputs, total_length=len(inputs))[0]
            return outputs, tuple(part[0] for part in (states if self.mode == "LSTM" else (states,)))
        outputs = []
        for step, values in enumerate(self.gates_of(inputs, suffix)):
            new = self.step(values, state, suffix)
            going = None if lengths is None else (lengths > step).to(inputs.device)[:, None]
            state = new if going is None else tuple(torch.where(going, after, before) for after, before in zip(new, state))
            outputs.append(new[0])
        return torch.stack(outputs), state

    def cell(self, inputs, state):
        if state is None:
            state = (inputs.new_zeros(*inputs.shape[:-1], self.hidden_size),) * 2
        elif self.mode != "LSTM":
            state = (state,)
        new = self.step(self.gates_of(inputs, ""), state, "")
        return new if self.mode == "LSTM" else new[0]

    def forward(self, inputs, state=None):
        if self.is_cell:
            return self.cell(inputs, state)
        packed, lengths = inputs if isinstance(inputs, PackedSequence) else None, None
        if packed is not None:
            inputs, lengths = pad_packed_sequence(packed)
        elif inputs.dim() == 2:
            state = None if state is None else tuple(part[:, None] for part in state) if self.mode == "LSTM" else state[:, None]
            outputs, state = self.forward(inputs[None] if self.batch_first else inputs[:, None], state)
            return outputs[0] if self.batch_first else outputs[:, 0], tuple(part[:, 0] for part in state) if self.mode == "LSTM" else state[:, 0]
        elif self.batch_first:
            inputs = inputs.transpose(0, 1)
        ends = ["", "_reverse"] if self.bidirectional else [""]
        if state is None:
            count, batch = self.num_layers * len(ends), inputs.shape[1]
            state = inputs.new_zeros(count, batch, self.proj_size or self.hidden_size), inputs.new_zeros(count, batch, self.hidden_size)
        elif self.mode != "LSTM":
            state = (state,)
        states = []
        for layer in range(self.num_layers):
            if layer > 0:
                inputs = nn.functional.dropout(inputs, self.dropout, self.training)
            sides = []
            for end in ends:
                values = reversed_steps(inputs, lengths) if end else inputs
                outputs, last = self.direction(values, lengths, tuple(part[len(states)] for part in state), f"_l{layer}{end}")
                sides.append(reversed_steps(outputs, lengths) if end else outputs)
                states.append(last)
            inputs = torch.cat(sides, -1)
        last = tuple(torch.stack(parts) for parts in zip(*states))
        if packed is not None:
            # In the order that they came in, so that whoever unpacks them finds each sequence in its place.
            order = packed.sorted_indices
            rows, ends = (inputs, lengths) if order is None else (inputs.index_select(1, order), lengths[order.cpu()])
            outputs = packed._replace(data=pack_padded_sequence(rows, ends).data)
        else:
            outputs = inputs.transpose(0, 1) if self.batch_first else inputs
        return outputs, last if self.mode == "LSTM" else last[0]

    def flatten_parameters(self):
        for run in self.runs.values():
            run.flatten_parameters()


def reversed_steps(values, lengths):
    """(steps, batch, features) backwards, each sequence from its own end."""
    if lengths is None:
        return values.flip(0)
    step = torch.arange(len(values))[:, None]
    index = torch.where(step < lengths[None], lengths[None] - 1 - step, step).to(values.device)
    return values.gather(0, index[:, :, None].expand_as(values))
`;
