"""``minitensor.nn``: modules, losses and initialisation, with PyTorch's names."""

from . import functional as functional
from . import init as init
from . import parameter as parameter
from . import utils as utils
from .attention import *  # noqa: F403
from .containers import *  # noqa: F403
from .convolutions import *  # noqa: F403
from .layers import *  # noqa: F403
from .module import Module as Module
from .norms import *  # noqa: F403
from .parameter import *  # noqa: F403
from .recurrent import *  # noqa: F403
from .simple import *  # noqa: F403
