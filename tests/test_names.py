"""Every name of PyTorch that minitensor promises is there, where PyTorch has it."""

import inspect
import operator

import pytest

import minitensor as mt

MATH = """
add sub mul div true_divide floor_divide remainder pow neg positive abs sign reciprocal square sqrt
rsqrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh sigmoid erf
floor ceil round trunc clamp clamp_min clamp_max maximum minimum atan2 lerp addcmul addcdiv
logaddexp hypot eq ne lt le gt ge isnan isinf isfinite isclose logical_and logical_or logical_not
logical_xor where equal allclose sum mean prod amax amin max min argmax argmin var std norm
logsumexp all any cumsum cumprod count_nonzero median softmax log_softmax histogram histc bincount
quantile cov
reshape flatten ravel unflatten squeeze unsqueeze transpose permute movedim t broadcast_to tile
split split_with_sizes chunk unbind narrow select flip roll tril triu diag diagonal diag_embed clone
gather scatter scatter_add index_select index_add masked_fill masked_select take_along_dim nonzero
sort argsort topk unique repeat_interleave
matmul mm bmm mv dot outer addmm baddbmm inner trace kron bernoulli multinomial numel detach
is_floating_point
"""  # functions that are methods as well
SURFACE = {
    "": MATH
    + """
    broadcast_tensors cat stack hstack vstack meshgrid atleast_1d atleast_2d einsum tensordot
    zeros_like ones_like full_like empty_like rand_like randn_like randint_like zeros ones full eye
    arange linspace tril_indices triu_indices tensor as_tensor from_numpy from_dlpack empty rand
    randn randint randperm normal Generator manual_seed FloatTensor DoubleTensor HalfTensor
    ByteTensor CharTensor ShortTensor IntTensor LongTensor BoolTensor Tensor Size device dtype
    no_grad enable_grad inference_mode set_grad_enabled is_grad_enabled is_tensor promote_types
    result_type set_printoptions set_default_dtype get_default_dtype save load pi e inf nan
    float16 float32 float64 uint8 int8 int16 int32 int64 bool half float double short int long
    nn optim utils distributions autograd cuda""",
    "Tensor": MATH
    + """
    view view_as reshape_as T mT expand expand_as repeat contiguous new_zeros new_ones new_full
    new_tensor new_empty to float double long int bool half short item tolist numpy cpu cuda type
    type_as size dim stride is_contiguous requires_grad_ requires_grad retain_grad register_hook
    grad_fn is_leaf data grad shape dtype device ndim nelement element_size data_ptr backward
    detach_ copy_ fill_ zero_ uniform_ normal_ random_ bernoulli_ exponential_ __getitem__
    __setitem__ __len__ __iter__ __contains__ __bool__ __float__ __int__ __index__ __array__
    __dlpack__ __dlpack_device__ __deepcopy__ __format__ __repr__ __hash__""",
    "autograd": "grad backward Function gradcheck gradgradcheck set_detect_anomaly detect_anomaly",
    "autograd.functional": "jacobian hessian vjp jvp hvp vhp",
    "nn.functional": """
    linear bilinear relu relu6 leaky_relu elu selu celu gelu silu mish softplus softsign hardtanh
    hardsigmoid hardswish logsigmoid tanhshrink prelu glu threshold softmax log_softmax softmin
    conv1d conv2d conv_transpose2d max_pool1d max_pool2d avg_pool1d avg_pool2d adaptive_avg_pool2d
    unfold pixel_shuffle batch_norm layer_norm group_norm rms_norm instance_norm normalize
    cosine_similarity embedding scaled_dot_product_attention cross_entropy nll_loss mse_loss l1_loss
    smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div
    hinge_embedding_loss margin_ranking_loss triplet_margin_loss interpolate pad one_hot dropout
    tanh sigmoid""",
    "nn": """
    Module Parameter Sequential ModuleList ModuleDict Linear Bilinear LazyLinear Conv1d Conv2d
    ConvTranspose2d MaxPool1d MaxPool2d AvgPool1d AvgPool2d AdaptiveAvgPool2d BatchNorm1d
    BatchNorm2d LayerNorm GroupNorm InstanceNorm2d RMSNorm Embedding RNN GRU LSTM RNNCell GRUCell
    LSTMCell MultiheadAttention TransformerEncoder TransformerEncoderLayer Transformer PixelShuffle
    ReflectionPad2d ZeroPad2d Upsample Flatten Unflatten Identity Dropout Dropout2d
    ReLU ReLU6 LeakyReLU ELU SELU CELU GELU SiLU Mish Softplus Softsign Hardtanh Hardsigmoid
    Hardswish LogSigmoid Tanhshrink PReLU GLU Threshold Softmax LogSoftmax Softmin Tanh Sigmoid
    CrossEntropyLoss NLLLoss MSELoss L1Loss SmoothL1Loss HuberLoss BCELoss BCEWithLogitsLoss
    KLDivLoss HingeEmbeddingLoss MarginRankingLoss TripletMarginLoss init utils functional""",
    "nn.init": """
    uniform_ normal_ constant_ ones_ zeros_ eye_ xavier_uniform_ xavier_normal_ kaiming_uniform_
    kaiming_normal_ trunc_normal_ orthogonal_ calculate_gain""",
    "nn.utils": "clip_grad_norm_ clip_grad_value_ parameters_to_vector vector_to_parameters",
    "optim": "Optimizer SGD Adam AdamW RMSprop Adagrad Adadelta LBFGS lr_scheduler",
    "optim.lr_scheduler": """
    StepLR MultiStepLR ExponentialLR CosineAnnealingLR LambdaLR OneCycleLR ReduceLROnPlateau""",
    "distributions": "Normal Categorical Bernoulli Uniform Multinomial",
    "distributions.Normal": "sample rsample log_prob entropy",
    "distributions.Categorical": "sample log_prob entropy",
    "utils.data": """
    Dataset IterableDataset TensorDataset Subset ConcatDataset random_split RandomSampler
    SequentialSampler BatchSampler DataLoader default_collate""",
}
NAMES = [(holder, name) for holder, names in SURFACE.items() for name in names.split()]


def find(lib, path):
    return operator.attrgetter(path)(lib) if path else lib


@pytest.mark.parametrize("holder", SURFACE)
def test_every_name_is_there(holder):
    found = find(mt, holder)
    assert [n for n in SURFACE[holder].split() if not hasattr(found, n)] == []


@pytest.mark.parametrize("holder", SURFACE)
def test_every_name_is_where_pytorch_has_it(holder):
    torch = pytest.importorskip("torch")
    theirs = find(torch, holder)
    assert [n for n in SURFACE[holder].split() if not hasattr(theirs, n)] == []


def test_functions_are_methods_and_have_the_in_place_forms_of_pytorch():
    torch = pytest.importorskip("torch")
    names = [n for n in MATH.split() if hasattr(torch.Tensor, n)]
    changing = [f"{n}_" for n in MATH.split() if hasattr(torch.Tensor, f"{n}_")]
    assert len(names) > 130 and len(changing) > 60
    assert [n for n in names + changing if not hasattr(mt.Tensor, n)] == []
    theirs = {n for n in dir(torch.Tensor) if n.startswith(("__i", "__r"))}
    ours = {n for n in theirs if hasattr(mt.Tensor, n)}
    shifts = {"__irshift__", "__ilshift__", "__rshift__", "__rlshift__", "__rrshift__"}
    older = {"__rdiv__", "__idiv__", "__reversed__"}  # of Python 2; reversed() goes by index
    assert theirs - ours <= shifts | older


def parameters(thing):
    """The names of what can be given by name, in order; None where Python cannot tell."""
    try:
        found = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    return [p.name for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]


# What PyTorch's own code needs: machines, compilers, deprecated spellings.
THEIRS = set("foreach fused capturable differentiable device dtype maximize inplace self".split())


def differing(holder, torch):
    """Arguments that PyTorch's function or class takes by name and ours does not."""
    for name in SURFACE[holder].split():
        theirs, ours = (parameters(getattr(find(lib, holder), name)) for lib in (torch, mt))
        if theirs is not None and ours is not None and callable(getattr(find(mt, holder), name)):
            missing = [p for p in theirs if p not in ours and p not in THEIRS]
            if missing:
                yield name, missing


ALL_NAMED = [h for h in SURFACE if h.partition(".")[0] not in ("", "Tensor", "autograd")]
# `out` of normalize is for memory only, Hardtanh's two are deprecated, and containers are given
# their modules by position.
KNOWN = {
    "nn.functional": [("normalize", ["out"])],
    "nn": [("ModuleList", ["modules"]), ("ModuleDict", ["modules"]),
           ("Hardtanh", ["min_value", "max_value"])],
}  # fmt: skip


@pytest.mark.parametrize("holder", [*ALL_NAMED, "autograd.functional"])
def test_arguments_have_pytorchs_names(holder):
    torch = pytest.importorskip("torch")
    missing = [found for found in differing(holder, torch) if found not in KNOWN.get(holder, [])]
    assert missing == []
