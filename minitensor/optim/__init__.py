"""Optimisers and learning-rate schedules, under PyTorch's names."""

from . import lr_scheduler as lr_scheduler
from .lbfgs import LBFGS as LBFGS
from .optimizer import Optimizer as Optimizer
from .optimizers import SGD as SGD
from .optimizers import Adadelta as Adadelta
from .optimizers import Adagrad as Adagrad
from .optimizers import Adam as Adam
from .optimizers import AdamW as AdamW
from .optimizers import RMSprop as RMSprop
