"""Builtins of training: modes, parameters, gradients, optimizers and schedules. The engines are PyTorch's."""

from tensorlogic.stdlib.costs import FREE, calls
from tensorlogic.stdlib.lazy import runtime, torch
from tensorlogic.stdlib.registry import builtin


@builtin("train(model: Model) -> void", effect="mutation")
def train(model):
    """Put a model into training mode: dropout and batch statistics are on. See torch.nn.Module.train."""
    return model.train()


@builtin("eval(model: Model) -> void", effect="mutation")
def eval_(model):
    """Put a model into evaluation mode: dropout is off, batch norms use their running statistics. See torch.nn.Module.eval."""
    return model.eval()


@builtin(
    "params(of: Model) -> [Tensor]",
    "params(of: Adapter) -> [Tensor]",
    "params(of: [Model]) -> [Tensor]",
    "params(of: AnyStruct) -> [Tensor]",
    cost=FREE,
)
def params(of):
    """The learnable tensors of a model, several models, an adapter or a struct, in the order of their fields."""
    return runtime.training.learnable(of)


@builtin("backward<T: float>(loss: T[]) -> void", effect="mutation", cost=FREE)
def backward(loss):
    """Add the gradients of a scalar to all parameters it depends on. See torch.Tensor.backward."""
    return loss.backward()


@builtin("grad<T: float, U: float>(loss: T[], w: U[...S]) -> U[...S]", cost=FREE)
def grad(loss, w):
    """The gradient of a scalar with respect to a parameter; the parameter's own `.grad` stays as it is. See torch.autograd.grad."""
    return torch.autograd.grad(loss, w, retain_graph=True)[0]


@builtin("gradient<T: float>(w: T[...S]) -> T[...S]", cost=FREE)
def gradient(w):
    """What `backward` has added up for a parameter; zeros before the first time."""
    return torch.zeros_like(w) if w.grad is None else w.grad


@builtin(
    "clip_grad_norm(params: Model, max_norm: float) -> float32[]",
    "clip_grad_norm(params: [Tensor], max_norm: float) -> float32[]",
    effect="mutation",
    cost=FREE,
)
def clip_grad_norm(params, max_norm):
    """Scale the gradients down where their norm together is above `max_norm`; the norm before. See torch.nn.utils.clip_grad_norm_."""
    return torch.nn.utils.clip_grad_norm_(runtime.training.learnable(params), max_norm)


@builtin("gradient_checkpoint<T: any, U: any>(f: fn(T[...S]) -> U[...R], x: T[...S]) -> U[...R]", cost=calls("f", "1", keeps="x"))
def gradient_checkpoint(f, x):
    """`f(x)`, computed again for the gradient instead of kept: less memory, more time. See torch.utils.checkpoint."""
    return torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False)


# --- optimizers ------------------------------------------------------------------------------------------------------


@builtin("zero_grad(optimizer: Optimizer) -> void", effect="mutation")
def zero_grad(optimizer):
    """Forget the gradients of the optimizer's parameters."""
    return optimizer.zero_grad()


@builtin("step(optimizer: Optimizer) -> void", effect="mutation")
def step(optimizer):
    """One step of an optimizer along the gradients, or of a scheduler of the learning rate."""
    return optimizer.step()


@builtin("step(scheduler: Scheduler) -> void", effect="mutation")
def step_of_scheduler(scheduler):
    return scheduler.step()


@builtin("learning_rate(optimizer: Optimizer) -> float")
def learning_rate(optimizer):
    """The learning rate of the next step."""
    return optimizer.param_groups[0]["lr"]


_SGD = "lr: float = 1e-3, momentum: float = 0.0, weight_decay: float = 0.0, nesterov: bool = false"
_ADAM = "lr: float = 1e-3, betas: (float, float) = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0"
_ADAMW = "lr: float = 1e-3, betas: (float, float) = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.01"
_RMSPROP = "lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0, momentum: float = 0.0"


def _optimizer(name: str, options: str) -> tuple[str, str]:
    return f"{name}(params: Model, {options}) -> Optimizer", f"{name}(params: [Tensor], {options}) -> Optimizer"


@builtin(*_optimizer("sgd", _SGD))
def sgd(params, lr=1e-3, momentum=0.0, weight_decay=0.0, nesterov=False):
    """Stochastic gradient descent. See torch.optim.SGD. Without parameters it is what `learn` takes."""
    return runtime.training.sgd(params, lr=lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov)


@builtin(f"sgd({_SGD}) -> OptimizerRule")
def sgd_rule(lr=1e-3, momentum=0.0, weight_decay=0.0, nesterov=False):
    return runtime.training.rule(runtime.training.sgd, lr=lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov)


@builtin(*_optimizer("adam", _ADAM))
def adam(params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    """Adam. See torch.optim.Adam. Without parameters it is what `learn` takes."""
    return runtime.training.adam(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


@builtin(f"adam({_ADAM}) -> OptimizerRule")
def adam_rule(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    return runtime.training.rule(runtime.training.adam, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


@builtin(*_optimizer("adamw", _ADAMW))
def adamw(params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    """Adam with decoupled weight decay. See torch.optim.AdamW. Without parameters it is what `learn` takes."""
    return runtime.training.adamw(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


@builtin(f"adamw({_ADAMW}) -> OptimizerRule")
def adamw_rule(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    return runtime.training.rule(runtime.training.adamw, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


@builtin(*_optimizer("rmsprop", _RMSPROP))
def rmsprop(params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0):
    """RMSprop. See torch.optim.RMSprop. Without parameters it is what `learn` takes."""
    return runtime.training.rmsprop(params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum)


@builtin(f"rmsprop({_RMSPROP}) -> OptimizerRule")
def rmsprop_rule(lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0):
    return runtime.training.rule(runtime.training.rmsprop, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum)


# --- schedules -------------------------------------------------------------------------------------------------------


@builtin("warmup_cosine(optimizer: Optimizer, warmup: int, total: int, min_lr: float = 0.0) -> Scheduler where warmup >= 0")
def warmup_cosine(optimizer, warmup, total, min_lr=0.0):
    """A learning rate that grows linearly for `warmup` steps, then falls along a cosine to `min_lr` at step `total`."""
    return runtime.training.warmup_cosine(optimizer, warmup=warmup, total=total, min_lr=min_lr)


@builtin("warmup_cosine(warmup: int, min_lr: float = 0.0) -> ScheduleRule where warmup >= 0")
def warmup_cosine_rule(warmup, min_lr=0.0):
    return runtime.training.rule(runtime.training.warmup_cosine, warmup=warmup, min_lr=min_lr)


@builtin("warmup_linear(optimizer: Optimizer, warmup: int, total: int, min_lr: float = 0.0) -> Scheduler where warmup >= 0")
def warmup_linear(optimizer, warmup, total, min_lr=0.0):
    """A learning rate that grows linearly for `warmup` steps, then falls linearly to `min_lr` at step `total`."""
    return runtime.training.warmup_linear(optimizer, warmup=warmup, total=total, min_lr=min_lr)


@builtin("warmup_linear(warmup: int, min_lr: float = 0.0) -> ScheduleRule where warmup >= 0")
def warmup_linear_rule(warmup, min_lr=0.0):
    return runtime.training.rule(runtime.training.warmup_linear, warmup=warmup, min_lr=min_lr)


@builtin("step_decay(optimizer: Optimizer, every: int, gamma: float = 0.1) -> Scheduler where every >= 1")
def step_decay(optimizer, every, gamma=0.1):
    """A learning rate multiplied by `gamma` after each `every` steps. See torch.optim.lr_scheduler.StepLR."""
    return torch.optim.lr_scheduler.StepLR(optimizer, every, gamma)


@builtin("step_decay(every: int, gamma: float = 0.1) -> ScheduleRule where every >= 1")
def step_decay_rule(every, gamma=0.1):
    return runtime.training.rule(runtime.training.step_decay, every=every, gamma=gamma)


@builtin("exponential_decay(optimizer: Optimizer, gamma: float) -> Scheduler")
def exponential_decay(optimizer, gamma):
    """A learning rate multiplied by `gamma` after each step. See torch.optim.lr_scheduler.ExponentialLR."""
    return torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)


@builtin("exponential_decay(gamma: float) -> ScheduleRule")
def exponential_decay_rule(gamma):
    return runtime.training.rule(runtime.training.exponential_decay, gamma=gamma)


# --- what happens during `learn` -------------------------------------------------------------------------------------


@builtin("every<A>(steps: int, action: fn() -> A) -> Every where steps >= 1")
def every(steps, action):
    """For `validate`: a function that `learn` calls each `steps` steps; what it gives is logged."""
    return runtime.training.every(steps, action)


@builtin("every(steps: int, path: string) -> Every where steps >= 1")
def every_path(steps, path):
    """For `checkpoint`: where `learn` saves each `steps` steps."""
    return runtime.training.every(steps, path)
