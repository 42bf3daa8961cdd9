"""Examples of the reference: nn, optimisers, data, distributions, derivatives, pictures."""

TARGETS = "mt.tensor([0, 1])"
NEURAL = {
    "adaptive_avg_pool1d": "F.adaptive_avg_pool1d(signal, 2)",
    "adaptive_avg_pool2d": "F.adaptive_avg_pool2d(images, 1)",
    "adaptive_max_pool1d": "F.adaptive_max_pool1d(signal, 2)",
    "adaptive_max_pool2d": "F.adaptive_max_pool2d(images, 2)",
    "alpha_dropout": "F.alpha_dropout(x, training=True)",
    "batch_norm": "F.batch_norm(A, None, None, training=True)",
    "bilinear": "F.bilinear(x, x, mt.ones(2, 3, 3))",
    "binary_cross_entropy": "F.binary_cross_entropy(x, c.float())",
    "binary_cross_entropy_with_logits": "F.binary_cross_entropy_with_logits(x, c.float())",
    "conv1d": "F.conv1d(signal, mt.ones(1, 1, 2))",
    "conv2d": "F.conv2d(images, mt.ones(1, 1, 2, 2))",
    "conv_transpose2d": "F.conv_transpose2d(A[None, None], mt.ones(1, 1, 2, 2))",
    "cosine_embedding_loss": f"F.cosine_embedding_loss(A, B, {TARGETS} * 2 - 1)",
    "cosine_similarity": "F.cosine_similarity(A, B)",
    "cross_entropy": f"F.cross_entropy(A, {TARGETS})",
    "dropout1d": "F.dropout1d(signal)",
    "dropout2d": "F.dropout2d(mt.ones(1, 4, 1, 1)).flatten()",
    "dropout3d": "F.dropout3d(mt.ones(1, 4, 1, 1, 1)).flatten()",
    "embedding": "F.embedding(n - 1, mt.eye(3))",
    "feature_alpha_dropout": "F.feature_alpha_dropout(images).shape",
    "fold": "F.fold(F.unfold(images, 2, stride=2), (4, 4), 2, stride=2).shape",
    "glu": "F.glu(A)",
    "group_norm": "F.group_norm(mt.arange(8.0).reshape(1, 4, 2), 2)",
    "gumbel_softmax": "F.gumbel_softmax(x, hard=True)",
    "hinge_embedding_loss": "F.hinge_embedding_loss(x, mt.tensor([1, -1, 1]))",
    "instance_norm": "F.instance_norm(signal)",
    "interpolate": "F.interpolate(signal, scale_factor=2)",
    "layer_norm": "F.layer_norm(x, (3,))",
    "linear": "F.linear(A, B, y[:2])",
    "log_softmax": "F.log_softmax(x, 0)",
    "lp_pool1d": "F.lp_pool1d(signal, 2, 2)",
    "lp_pool2d": "F.lp_pool2d(images, 2, 2)",
    "margin_ranking_loss": "F.margin_ranking_loss(x, y, mt.ones(3))",
    "max_pool1d": "F.max_pool1d(signal, 2)",
    "nll_loss": f"F.nll_loss(F.log_softmax(A, 1), {TARGETS})",
    "normalize": "F.normalize(A)",
    "one_hot": "F.one_hot(n)",
    "pad": "F.pad(x, (1, 2))",
    "pairwise_distance": "F.pairwise_distance(A, B)",
    "pixel_shuffle": "F.pixel_shuffle(mt.arange(4.0).reshape(1, 4, 1, 1), 2)",
    "pixel_unshuffle": "F.pixel_unshuffle(images, 2).shape",
    "prelu": "F.prelu(-x, mt.tensor([0.25]))",
    "rms_norm": "F.rms_norm(x, (3,))",
    "scaled_dot_product_attention": "F.scaled_dot_product_attention(A[None], A[None], B[None])",
    "softmax": "F.softmax(x, 0)",
    "softmin": "F.softmin(x, 0)",
    "threshold": "F.threshold(x, 0.4, 0.0)",
    "threshold_": "F.threshold_(x, 0.4, 0.0)",
    "triplet_margin_loss": "F.triplet_margin_loss(A, A + 1, B)",
    "unfold": "F.unfold(images, 2, stride=2)",
}

CELL = "mt.ones(1, 2)"
SEQUENCE = "mt.ones(3, 1, 2)"
NN = {
    "AdaptiveAvgPool2d": "nn.AdaptiveAvgPool2d(1)(images)",
    "AlphaDropout": "nn.AlphaDropout()(y)",
    "BCELoss": "nn.BCELoss()(x, c.float())",
    "BCEWithLogitsLoss": "nn.BCEWithLogitsLoss()(x, c.float())",
    "BatchNorm1d": "nn.BatchNorm1d(2)(A)",
    "BatchNorm2d": "nn.BatchNorm2d(1)(images).flatten()[0]",
    "Bilinear": "nn.Bilinear(2, 2, 1)(A, B)",
    "CircularPad1d": "nn.CircularPad1d(1)(signal)",
    "CircularPad2d": "nn.CircularPad2d(1)(images).shape",
    "ConstantPad1d": "nn.ConstantPad1d(1, 7)(signal)",
    "ConstantPad2d": "nn.ConstantPad2d(1, 7)(images).shape",
    "Conv1d": "nn.Conv1d(1, 2, 3)(signal).shape",
    "Conv2d": "nn.Conv2d(1, 8, 3)(images).shape",
    "ConvTranspose2d": "nn.ConvTranspose2d(1, 8, 2)(images).shape",
    "CosineEmbeddingLoss": f"nn.CosineEmbeddingLoss()(A, B, {TARGETS} * 2 - 1)",
    "CosineSimilarity": "nn.CosineSimilarity()(A, B)",
    "CrossEntropyLoss": f"nn.CrossEntropyLoss()(A, {TARGETS})",
    "Dropout1d": "nn.Dropout1d()(signal)",
    "Dropout2d": "nn.Dropout2d()(mt.ones(1, 4, 1, 1)).flatten()",
    "Embedding": "nn.Embedding(4, 2)(n)",
    "Flatten": "nn.Flatten()(images).shape",
    "Fold": "nn.Fold((4, 4), 2, stride=2)(F.unfold(images, 2, stride=2)).shape",
    "GLU": "nn.GLU()(A)",
    "GRU": f"nn.GRU(2, 4)({SEQUENCE})[0].shape",
    "GRUCell": f"nn.GRUCell(2, 4)({CELL}).shape",
    "GroupNorm": "nn.GroupNorm(2, 4)(mt.arange(8.0).reshape(1, 4, 2))",
    "HingeEmbeddingLoss": "nn.HingeEmbeddingLoss()(x, mt.tensor([1, -1, 1]))",
    "InstanceNorm1d": "nn.InstanceNorm1d(1)(signal)",
    "InstanceNorm2d": "nn.InstanceNorm2d(1)(images).shape",
    "LSTM": f"nn.LSTM(2, 4)({SEQUENCE})[0].shape",
    "LSTMCell": f"nn.LSTMCell(2, 4)({CELL})[0].shape",
    "LayerNorm": "nn.LayerNorm(3)(x)",
    "LazyLinear": "nn.LazyLinear(4)(A).shape",
    "Linear": "nn.Linear(2, 3)(A)",
    "LogSoftmax": "nn.LogSoftmax(0)(x)",
    "MarginRankingLoss": "nn.MarginRankingLoss()(x, y, mt.ones(3))",
    "MaxPool1d": "nn.MaxPool1d(2)(signal)",
    "Module": "class Double(nn.Module):\n    def forward(self, x):\n        return x * 2\n"
    "Double()(y)",
    "ModuleDict": "nn.ModuleDict({'a': nn.Linear(2, 3)})",
    "ModuleList": "nn.ModuleList([nn.Linear(2, 3), nn.ReLU()])",
    "MultiheadAttention": f"nn.MultiheadAttention(2, 1)({SEQUENCE}, {SEQUENCE}, {SEQUENCE})[0]"
    ".shape",
    "NLLLoss": f"nn.NLLLoss()(F.log_softmax(A, 1), {TARGETS})",
    "PReLU": "nn.PReLU()(-x)",
    "PairwiseDistance": "nn.PairwiseDistance()(A, B)",
    "Parameter": "nn.Parameter(x)",
    "ParameterDict": "nn.ParameterDict({'w': x})",
    "ParameterList": "nn.ParameterList([x])",
    "PixelShuffle": "nn.PixelShuffle(2)(mt.arange(4.0).reshape(1, 4, 1, 1))",
    "RMSNorm": "nn.RMSNorm(3)(x)",
    "RNN": f"nn.RNN(2, 4)({SEQUENCE})[0].shape",
    "RNNCell": f"nn.RNNCell(2, 4)({CELL}).shape",
    "ReflectionPad2d": "nn.ReflectionPad2d(1)(images).shape",
    "ReplicationPad2d": "nn.ReplicationPad2d(1)(images).shape",
    "Sequential": "nn.Sequential(nn.Linear(2, 3), nn.ReLU())",
    "Softmax": "nn.Softmax(0)(x)",
    "Softmin": "nn.Softmin(0)(x)",
    "Threshold": "nn.Threshold(0.4, 0.0)(x)",
    "Transformer": f"nn.Transformer(2, 1, 1, 1, 4)({SEQUENCE}, {SEQUENCE}).shape",
    "TransformerDecoder": "layer = nn.TransformerDecoderLayer(2, 1, 4)\n"
    f"nn.TransformerDecoder(layer, 2)({SEQUENCE}, {SEQUENCE}).shape",
    "TransformerDecoderLayer": f"nn.TransformerDecoderLayer(2, 1, 4)({SEQUENCE}, {SEQUENCE}).shape",
    "TransformerEncoder": "layer = nn.TransformerEncoderLayer(2, 1, 4)\n"
    f"nn.TransformerEncoder(layer, 2)({SEQUENCE}).shape",
    "TransformerEncoderLayer": f"nn.TransformerEncoderLayer(2, 1, 4)({SEQUENCE}).shape",
    "TripletMarginLoss": "nn.TripletMarginLoss()(A, A + 1, B)",
    "Unflatten": "nn.Unflatten(2, (2, 3))(signal).shape",
    "Unfold": "nn.Unfold(2, stride=2)(images)",
    "UninitializedParameter": "nn.LazyLinear(2).weight",
    "Upsample": "nn.Upsample(scale_factor=2)(signal)",
    "ZeroPad2d": "nn.ZeroPad2d(1)(images).shape",
}
WEIGHTS = "w = x.clone().requires_grad_()\n(w * w).sum().backward()\n"
MODULES = {
    "nn": NN,
    "nn.init": {
        "calculate_gain": "nn.init.calculate_gain('relu')",
        "dirac_": "nn.init.dirac_(mt.zeros(1, 1, 3))",
    },
    "nn.utils": {
        "clip_grad_norm_": WEIGHTS + "norm = nn.utils.clip_grad_norm_([w], 1.0)\nnorm, w.grad",
        "clip_grad_value_": WEIGHTS + "nn.utils.clip_grad_value_([w], 0.5)\nw.grad",
        "clip_grads_with_norm_": WEIGHTS
        + "nn.utils.clip_grads_with_norm_([w], 1.0, mt.tensor(2.0))\nw.grad",
        "get_total_norm": "nn.utils.get_total_norm([x, y])",
        "parameters_to_vector": "nn.utils.parameters_to_vector([A, x])",
        "vector_to_parameters": "nn.utils.vector_to_parameters(y, [x])\nx",
    },
}

START = "optimizer = optim.SGD([x.requires_grad_()], lr=1.0)\n"
FOUR = (
    "rates = []\nfor epoch in range(4):\n    rates.append(round(schedule.get_last_lr()[0], 4))\n"
    "    optimizer.step()\n    schedule.step()\nrates"
)


def rates(made):
    """The learning rates of four epochs under a schedule."""
    return f"{START}schedule = lr_scheduler.{made}\n{FOUR}"


SCHEDULES = {
    "ConstantLR": "ConstantLR(optimizer, factor=0.5, total_iters=2)",
    "CosineAnnealingLR": "CosineAnnealingLR(optimizer, T_max=4)",
    "CosineAnnealingWarmRestarts": "CosineAnnealingWarmRestarts(optimizer, T_0=2)",
    "ExponentialLR": "ExponentialLR(optimizer, gamma=0.5)",
    "LambdaLR": "LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))",
    "LinearLR": "LinearLR(optimizer, start_factor=0.25, total_iters=3)",
    "MultiStepLR": "MultiStepLR(optimizer, milestones=[1, 3])",
    "MultiplicativeLR": "MultiplicativeLR(optimizer, lambda epoch: 0.5)",
    "OneCycleLR": "OneCycleLR(optimizer, max_lr=1.0, total_steps=5, cycle_momentum=False)",
    "PolynomialLR": "PolynomialLR(optimizer, total_iters=4)",
    "StepLR": "StepLR(optimizer, step_size=2)",
}
TRAINING = {
    "optim": {
        "LBFGS": "w = x.clone().requires_grad_()\noptimizer = optim.LBFGS([w])\n"
        "def closure():\n    optimizer.zero_grad()\n    loss = (w - 1).square().sum()\n"
        "    loss.backward()\n    return loss\nloss = optimizer.step(closure)\nw",
        "Optimizer": "issubclass(optim.SGD, optim.Optimizer)",
    },
    "optim.lr_scheduler": {
        **{name: rates(made) for name, made in SCHEDULES.items()},
        "LRScheduler": "issubclass(lr_scheduler.StepLR, lr_scheduler.LRScheduler)",
        "ReduceLROnPlateau": f"{START}schedule = lr_scheduler.ReduceLROnPlateau(optimizer, "
        "patience=1)\nfor loss in (1.0, 1.0, 1.0, 1.0):\n    schedule.step(loss)\n"
        "schedule.get_last_lr()",
        "SequentialLR": f"{START}first = lr_scheduler.ConstantLR(optimizer, 0.1, 2)\n"
        "then = lr_scheduler.ExponentialLR(optimizer, 0.5)\n"
        f"schedule = lr_scheduler.SequentialLR(optimizer, [first, then], [2])\n{FOUR}",
    },
    "utils.data": {
        "BatchSampler": "list(data.BatchSampler(range(5), 2, drop_last=False))",
        "ChainDataset": "class Count(data.IterableDataset):\n    def __iter__(self):\n"
        "        return iter(range(2))\nlist(data.ChainDataset([Count(), Count()]))",
        "ConcatDataset": "list(data.ConcatDataset([[1, 2], [3]]))",
        "DataLoader": "list(data.DataLoader(range(5), batch_size=2, shuffle=True))",
        "Dataset": "class Squares(data.Dataset):\n    def __len__(self):\n        return 3\n"
        "    def __getitem__(self, i):\n        return i * i\nSquares()[2]",
        "IterableDataset": "class Count(data.IterableDataset):\n    def __iter__(self):\n"
        "        return iter(range(4))\nlist(data.DataLoader(Count(), batch_size=2))",
        "Sampler": "class Even(data.Sampler):\n    def __iter__(self):\n"
        "        return iter([0, 2])\nlist(data.DataLoader(range(4), sampler=Even()))",
        "Subset": "list(data.Subset([5, 6, 7], [2, 0]))",
        "TensorDataset": "data.TensorDataset(x, y)[1]",
        "WeightedRandomSampler": "list(data.WeightedRandomSampler([0.1, 0.9], 5))",
        "default_collate": "data.default_collate([(1, 2.0), (3, 4.0)])",
        "default_convert": "data.default_convert(np.ones(2))",
        "get_worker_info": "data.get_worker_info()",
        "random_split": "[list(part) for part in data.random_split(range(5), [3, 2])]",
    },
    "distributions": {
        "Bernoulli": "distributions.Bernoulli(x).log_prob(c.float())",
        "Categorical": "distributions.Categorical(x).probs",
        "Distribution": "issubclass(distributions.Normal, distributions.Distribution)",
        "Exponential": "distributions.Exponential(y).mean",
        "Multinomial": "distributions.Multinomial(10, x).sample()",
        "Normal": "distributions.Normal(0.0, y).log_prob(x)",
        "Uniform": "distributions.Uniform(0.0, y).sample()",
        "kl_divergence": "distributions.kl_divergence(distributions.Normal(0.0, 1.0), "
        "distributions.Normal(1.0, 1.0))",
    },
    "autograd": {
        "Function": "autograd.Function is mt.Function",
        "backward": "w = x.requires_grad_()\nautograd.backward((w * w).sum())\nw.grad",
        "detect_anomaly": "w = x.requires_grad_()\nwith autograd.detect_anomaly():\n"
        "    (w * w).sum().backward()\nw.grad",
        "enable_grad": "autograd.enable_grad is mt.enable_grad",
        "grad": "w = x.requires_grad_()\nautograd.grad((w * w * w).sum(), w)",
        "gradcheck": "autograd.gradcheck(mt.sin, x.double().requires_grad_())",
        "gradgradcheck": "autograd.gradgradcheck(mt.sin, x.double().requires_grad_())",
        "inference_mode": "autograd.inference_mode is mt.inference_mode",
        "is_grad_enabled": "autograd.is_grad_enabled()",
        "no_grad": "autograd.no_grad is mt.no_grad",
        "set_detect_anomaly": "with autograd.set_detect_anomaly(False):\n    z = x.sum()\nz",
        "set_grad_enabled": "autograd.set_grad_enabled is mt.set_grad_enabled",
    },
    "autograd.functional": {
        "hessian": "autograd.functional.hessian(lambda t: (t * t * t).sum(), y)",
        "hvp": "autograd.functional.hvp(lambda t: (t * t * t).sum(), y, x)",
        "jacobian": "autograd.functional.jacobian(mt.square, y)",
        "jvp": "autograd.functional.jvp(mt.square, y, x)",
        "vhp": "autograd.functional.vhp(lambda t: (t * t * t).sum(), y, x)",
        "vjp": "autograd.functional.vjp(mt.square, y, x)",
    },
    "viz": {
        "chain": "w = y[0].clone().requires_grad_()\nz = w.exp() * w\nviz.chain(z, 'w')",
        "derivative": "viz.derivative('tanh', 'x')",
        "formula": "viz.formula('tanh')",
        "draw": "w = y[:2].clone().requires_grad_()\nz = (w * w).sum()\nviz.draw(z)",
        "trace": "w = y[0].clone().requires_grad_()\nz = w * w\n"
        "[step.share for step in viz.trace(z).steps]",
        "memory": "with viz.memory() as m:\n    z = (x.requires_grad_() ** 2).sum()\nm.peak",
    },
}
